// Unix sockets of this process: how they appear, what they replace, what they refuse, what they leave behind.
import fs, {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Server } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failureOf, greeter, greetingFrom, isRoot, openUnix, temporaryFolder } from './support.js';

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** A socket file that nobody listens on, as a killed process leaves it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}~`);
  await once(server, 'listening');
  renameSync(`${path}~`, path); // so that close() does not find it
  await close(server);
}

/** What another process does just before the next `renameSync` of this one. */
function beforeNextRename(act: () => void): void {
  const real = fs.renameSync;
  const replace = (renameSync: typeof real): void => {
    Object.assign(fs, { renameSync });
    syncBuiltinESMExports();
  };
  replace((from, to) => {
    replace(real);
    act();
    real(from, to);
  });
  onTestFinished(() => replace(real));
}

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function setUmask(mask: number): void {
  const before = process.umask(mask);
  onTestFinished(() => void process.umask(before));
}

describe('a new socket', () => {
  test('serves clients at its path, with nothing else left in the folder', async () => {
    const folder = temporaryFolder();
    const { path } = await openUnix(greeter('hello'), join(folder, 'app.sock'));
    expect(path).toBe(join(folder, 'app.sock'));
    expect(await greetingFrom({ path })).toBe('hello');
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test.each(['000', '022', '077'])('has mode 0660 by default, with umask %s', async (umask) => {
    setUmask(Number.parseInt(umask, 8));
    const { path } = await openUnix(greeter(), join(temporaryFolder(), 'app.sock'));
    expect(mode(path)).toBe('660');
  });

  test('has the mode that was asked for', async () => {
    const { path } = await openUnix(greeter(), join(temporaryFolder(), 'app.sock?mode=0606'));
    expect(mode(path)).toBe('606');
  });

  test('cannot be reached before its mode is set: until then it is in a folder of ours alone', async () => {
    setUmask(0);
    const folder = temporaryFolder();
    const server = greeter();
    let seen: unknown;
    // Node says "listening" before the mode is set.
    server.on('listening', () => {
      const staged = String(server.address());
      seen = { folder: mode(dirname(staged)), besides: dirname(dirname(staged)), names: readdirSync(folder).length };
    });
    await openUnix(server, join(folder, 'app.sock'));
    expect(seen).toEqual({ folder: '700', besides: folder, names: 1 });
  });

  test('is given to a group by number', async () => {
    const group = process.getgid?.();
    const { path } = await openUnix(greeter(), join(temporaryFolder(), `app.sock?group=${group}`));
    expect(statSync(path).gid).toBe(group);
  });

  test('is given to a user and a group by name', async (context) => {
    context.skip(!isRoot, 'only root can give files away');
    const passwd = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
    const nobody = passwd.find(([name]) => name === 'nobody');
    const group = readFileSync('/etc/group', 'utf8').trim().split('\n').at(-1)?.split(':');
    const { path } = await openUnix(greeter(), join(temporaryFolder(), `app.sock?user=nobody&group=${group?.[0]}`));
    expect(statSync(path)).toMatchObject({ uid: Number(nobody?.[2]), gid: Number(group?.[2]) });
    expect(mode(path)).toBe('660');
  });

  test('is refused for a group that does not exist, before anything is made', async () => {
    const folder = temporaryFolder();
    const error = await failureOf(() => openUnix(greeter(), join(folder, 'app.sock?group=no-such-group')));
    expect(error.code).toBe('ERR_SCGI_BIND');
    expect(error.message).toContain('there is no such group');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is refused with the remedy when it cannot be given away', async (context) => {
    context.skip(isRoot, 'root can give files away');
    const folder = temporaryFolder();
    const error = await failureOf(() => openUnix(greeter(), join(folder, 'app.sock?user=0')));
    expect(error.code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(error.message).toContain('only root may give it to another user');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is made at a relative path, and known by its absolute one', async () => {
    const folder = temporaryFolder();
    const { path } = await openUnix(greeter('hello'), relative(process.cwd(), join(folder, 'app.sock')));
    expect(path).toBe(join(folder, 'app.sock'));
    expect(await greetingFrom({ path })).toBe('hello');
  });
});

describe('a path that is taken', () => {
  test('by a stale socket is replaced', async () => {
    const folder = temporaryFolder();
    await leaveStaleSocket(join(folder, 'app.sock'));
    const { path } = await openUnix(greeter('new'), join(folder, 'app.sock'));
    expect(await greetingFrom({ path })).toBe('new');
    expect(mode(path)).toBe('660');
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test('by a live socket is refused, and that one goes on', async () => {
    const folder = temporaryFolder();
    const { path } = await openUnix(greeter('first'), join(folder, 'app.sock'));
    const second = greeter('second');
    const error = await failureOf(() => openUnix(second, path));
    expect(error).toMatchObject({ name: 'LocalProtocolError', code: 'ERR_SCGI_SOCKET_IN_USE' });
    expect(error.message).toContain('stop that process');
    expect(second.listening).toBe(false);
    expect(await greetingFrom({ path })).toBe('first');
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test('by a file is refused, and the file stays', async () => {
    const path = join(temporaryFolder(), 'precious.txt');
    writeFileSync(path, 'precious');
    const error = await failureOf(() => openUnix(greeter(), path));
    expect(error.code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(error.message).toContain('not a socket is in the way');
    expect(error.message).toContain('remove it, or choose another path');
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  test('by a folder is refused', async () => {
    const path = join(temporaryFolder(), 'folder');
    mkdirSync(path);
    const error = await failureOf(() => openUnix(greeter(), path));
    expect(error.message).toContain('not a socket is in the way');
  });

  test('by a stale socket that somebody takes away between the look and the move is free', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.sock');
    await leaveStaleSocket(path);
    beforeNextRename(() => unlinkSync(path));
    await openUnix(greeter('ours'), path);
    expect(await greetingFrom({ path })).toBe('ours');
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test('by a stale socket that somebody replaces between the look and the move is theirs', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.sock');
    await leaveStaleSocket(path);
    await openUnix(greeter('theirs'), join(folder, 'next.sock'));
    beforeNextRename(() => renameSync(join(folder, 'next.sock'), path));
    const { code } = await failureOf(() => openUnix(greeter('ours'), path));
    expect(code).toBe('ERR_SCGI_SOCKET_IN_USE');
    expect(await greetingFrom({ path })).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test('by a symbolic link is refused, even one to a stale socket', async () => {
    const folder = temporaryFolder();
    await leaveStaleSocket(join(folder, 'real.sock'));
    symlinkSync('real.sock', join(folder, 'app.sock'));
    const error = await failureOf(() => openUnix(greeter(), join(folder, 'app.sock')));
    expect(error.code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(error.message).toContain('a symbolic link is in the way');
    expect(lstatSync(join(folder, 'app.sock')).isSymbolicLink()).toBe(true);
  });

  test.each(['free', 'stale'])('by one of ten that start together goes to exactly one (%s before)', async (before) => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.sock');
    if (before === 'stale') await leaveStaleSocket(path);
    const servers = Array.from({ length: 10 }, (_, index) => greeter(`server ${index}`));
    const results = await Promise.allSettled(servers.map((server) => openUnix(server, path)));
    const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(await greetingFrom({ path })).toBe(`server ${winners[0]}`);
    const causes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(new Set(causes)).toEqual(new Set(['ERR_SCGI_SOCKET_IN_USE']));
    expect(servers.filter((server) => server.listening)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });
});

describe('stopping', () => {
  test('release removes the file, before or after the server closes', async () => {
    const folder = temporaryFolder();
    const first = greeter();
    const socket = await openUnix(first, join(folder, 'app.sock'));
    socket.release();
    expect(readdirSync(folder)).toEqual([]);
    await close(first);

    const second = greeter();
    const again = await openUnix(second, join(folder, 'app.sock'));
    await close(second);
    expect(readdirSync(folder)).toEqual(['app.sock']); // Node knows the private name only.
    again.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('after a hand-over, neither closing nor release removes the socket of the other', async () => {
    const folder = temporaryFolder();
    const old = greeter('old');
    const { path, release } = await openUnix(old, join(folder, 'app.sock'));
    await openUnix(greeter('new'), join(folder, 'next.sock'));
    renameSync(join(folder, 'next.sock'), path);
    release();
    await close(old);
    expect(await greetingFrom({ path })).toBe('new');
  });

  test('a second release does not touch a socket that came later', async () => {
    const folder = temporaryFolder();
    const old = greeter();
    const { path, release } = await openUnix(old, join(folder, 'app.sock'));
    release();
    await close(old); // The inode number is free from here on, and often given to the next socket.
    await openUnix(greeter('new'), path);
    release();
    expect(await greetingFrom({ path })).toBe('new');
  });

  test('release is content when the file is gone already', async () => {
    const folder = temporaryFolder();
    const { path, release } = await openUnix(greeter(), join(folder, 'app.sock'));
    renameSync(path, join(folder, 'moved.sock'));
    expect(release).not.toThrow();
  });
});

test('an aborted signal stops it before anything is made', async () => {
  const folder = temporaryFolder();
  const server = greeter();
  const reason = new Error('changed my mind');
  await expect(openUnix(server, join(folder, 'app.sock'), AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(server.listening).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test('leaves no listeners on the server, whether it works or not', async () => {
  const folder = temporaryFolder();
  const server = greeter();
  const count = () => server.listenerCount('error') + server.listenerCount('listening') + server.listenerCount('close');
  const before = count();
  await failureOf(() => openUnix(server, join(folder, 'missing', 'app.sock')));
  expect(count()).toBe(before);
  await openUnix(server, join(folder, 'app.sock'));
  expect(count()).toBe(before);
});
