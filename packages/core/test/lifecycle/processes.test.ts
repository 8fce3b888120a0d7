// What needs more than one process: sockets that outlive a kill, starts that race, hand-overs, inherited descriptors.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { greeter, greetingFrom, isLinux, isRoot, temporaryFolder } from './support.js';

const deadlineMs = 10_000;
vi.setConfig({ testTimeout: 3 * deadlineMs }); // starting a process takes a while on a busy machine
const nobody = 65_534;
const fixture = 'listen-process.mjs';
let compiled = '';

// Node 20 cannot run TypeScript, and the built package may be older than the sources.
beforeAll(async () => {
  compiled = mkdtempSync(join(tmpdir(), 'scgi-compiled-'));
  chmodSync(compiled, 0o755); // The fixture may become another user.
  const source = fileURLToPath(new URL('../../src', import.meta.url));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  const options = ['--ignoreConfig', '--noCheck', '--module', 'nodenext', '--target', 'es2023', '--rootDir', source];
  writeFileSync(join(compiled, 'package.json'), '{ "type": "module" }');
  const files = [join(source, 'lifecycle/bind.ts'), join(source, 'lifecycle/listen.ts')];
  await promisify(execFile)(process.execPath, [compiler, ...options, '--outDir', compiled, ...files]);
  copyFileSync(new URL(fixture, import.meta.url), join(compiled, fixture));
}, 60_000);

afterAll(() => rmSync(compiled, { recursive: true, force: true }));

interface Settings {
  readonly bind?: unknown;
  /** Become this user before listening. */
  readonly uid?: number;
  /** Wait for `go` before listening. */
  readonly wait?: boolean;
  /** Descriptors from 3 up, announced as systemd does. */
  readonly inherit?: readonly number[];
  readonly names?: string;
}

interface Answer {
  readonly endpoints?: readonly { address: string; host?: string; port?: number; path?: string }[];
  readonly environment?: readonly string[];
  readonly code?: string;
  readonly message?: string;
}

class ServerProcess {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor({ inherit = [], names, ...settings }: Settings) {
    const script = [process.execPath, join(compiled, fixture), join(compiled, 'lifecycle'), JSON.stringify(settings)];
    // As systemd does it: the variables name the process that exec replaces.
    const activation = 'export LISTEN_PID=$$; exec "$@"';
    const command = inherit.length === 0 ? script : ['sh', '-c', activation, 'sh', ...script];
    const environment: NodeJS.ProcessEnv = { ...process.env };
    if (inherit.length > 0) environment['LISTEN_FDS'] = String(inherit.length);
    if (names !== undefined) environment['LISTEN_FDNAMES'] = names;
    const [program = '', ...rest] = command;
    this.child = spawn(program, rest, { env: environment, stdio: ['pipe', 'pipe', 'inherit', ...inherit] });
    onTestFinished(() => void this.child.kill('SIGKILL'));
    if (this.child.stdout === null) throw new Error('no stdout');
    this.#lines = createInterface(this.child.stdout)[Symbol.asyncIterator]();
  }

  get greeting(): string {
    return `process ${this.child.pid}`;
  }

  async answer(): Promise<Answer> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), deadlineMs);
    const line = await this.#lines.next();
    clearTimeout(timer);
    if (line.done === true) throw new Error('the process ended without an answer, or was too slow');
    return JSON.parse(line.value);
  }

  go(): void {
    this.child.stdin?.write('go\n');
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    if (signal === undefined) this.child.stdin?.end();
    else this.child.kill(signal);
    await once(this.child, 'exit', { signal: AbortSignal.timeout(deadlineMs) });
  }
}

async function start(settings: Settings): Promise<ServerProcess> {
  const server = new ServerProcess(settings);
  const { endpoints, message } = await server.answer();
  if (endpoints === undefined) throw new Error(message);
  return server;
}

/** A listening socket to be inherited, as systemd holds one. The parent accepts from it too until it is closed. */
async function inheritable(options: { path: string } | { host: string; port: number }): Promise<[Server, number]> {
  const server = greeter('parent').listen(options);
  await once(server, 'listening');
  const fd: unknown = Reflect.get(Reflect.get(server, '_handle'), 'fd');
  if (typeof fd !== 'number') throw new Error('the server has no descriptor');
  return [server, fd];
}

describe('a Unix socket and its process', () => {
  test('a killed process leaves its socket, and the next one replaces it', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.sock');
    const first = await start({ bind: `unix:${path}` });
    await first.stop('SIGKILL');
    expect(readdirSync(folder)).toEqual(['app.sock']);
    await expect(greetingFrom({ path })).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    const second = await start({ bind: `unix:${path}` });
    expect(await greetingFrom({ path })).toBe(second.greeting);
    await second.stop();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(['SIGCONT', 'SIGSTOP'] as const)('a live process keeps its socket (after %s)', async (signal) => {
    const path = join(temporaryFolder(), 'app.sock');
    const first = await start({ bind: `unix:${path}` });
    first.child.kill(signal);
    const second = new ServerProcess({ bind: `unix:${path}` });
    const { code, message } = await second.answer();
    expect(code).toBe('ERR_SCGI_SOCKET_IN_USE');
    expect(message).toContain('stop that process');
    first.child.kill('SIGCONT');
    expect(await greetingFrom({ path })).toBe(first.greeting);
  });

  test.each(['free', 'stale'])('of three that start at once exactly one gets the path (%s before)', async (before) => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.sock');
    if (before === 'stale') await (await start({ bind: `unix:${path}` })).stop('SIGKILL');
    const racers = [1, 2, 3].map(() => new ServerProcess({ bind: `unix:${path}`, wait: true }));
    await Promise.all(racers.map((racer) => racer.answer()));
    for (const racer of racers) racer.go();
    const answers = await Promise.all(racers.map((racer) => racer.answer()));

    const winners = racers.filter((_, index) => answers[index]?.endpoints !== undefined);
    expect(winners).toHaveLength(1);
    expect(await greetingFrom({ path })).toBe(winners[0]?.greeting);
    const causes = answers.flatMap(({ code }) => (code === undefined ? [] : [code]));
    expect(causes).toEqual(['ERR_SCGI_SOCKET_IN_USE', 'ERR_SCGI_SOCKET_IN_USE']);
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test('after a hand-over the old process stops without removing the socket of the new one', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'app.sock');
    const old = await start({ bind: `unix:${path}` });
    const successor = await start({ bind: `unix:${join(folder, 'next.sock')}` });
    renameSync(join(folder, 'next.sock'), path);
    await old.stop();
    expect(await greetingFrom({ path })).toBe(successor.greeting);
  });
});

describe('permissions', () => {
  test('a folder that may not be written gives the remedy', async () => {
    const outer = temporaryFolder();
    chmodSync(outer, 0o755);
    const folder = join(outer, 'theirs');
    mkdirSync(folder, { mode: 0o555 });
    const path = join(folder, 'app.sock');
    const server = new ServerProcess({ bind: `unix:${path}`, ...(isRoot ? { uid: nobody } : {}) });
    const { code, message } = await server.answer();
    expect(code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(message).toContain(`no permission to create files in ${folder}`);
    expect(message).toContain('RuntimeDirectory=');
  });

  test.for(['0777', '0600'])("another user's stale socket of mode %s is left alone", async (socketMode, context) => {
    context.skip(!isRoot, 'only root can start a process of another user');
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    const path = join(folder, 'app.sock');
    await (await start({ bind: `unix:${path}?mode=${socketMode}` })).stop('SIGKILL');
    const { code, message } = await new ServerProcess({ bind: `unix:${path}`, uid: nobody }).answer();
    expect(code).toBe('ERR_SCGI_SOCKET_PATH');
    expect(message).toContain('a socket of another user (uid 0) is in the way');
    expect(readdirSync(folder)).toEqual(['app.sock']);
  });

  test('a privileged port gives the remedy', async (context) => {
    context.skip(!isLinux, 'the first unprivileged port is read from /proc');
    const firstFree = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
    context.skip(firstFree < 2, 'every port is free to use here');
    const { code, message } = await new ServerProcess({ bind: 1, ...(isRoot ? { uid: nobody } : {}) }).answer();
    expect(code).toBe('ERR_SCGI_BIND');
    expect(message).toContain('choose a port from 1024 up');
  });
});

describe('descriptors passed as systemd does', () => {
  test('a TCP socket is served without any bind, and the variables are gone', async () => {
    const [parent, fd] = await inheritable({ host: '127.0.0.1', port: 0 });
    const port = portOf(parent);
    const server = new ServerProcess({ inherit: [fd] });
    expect(await server.answer()).toEqual({
      endpoints: [{ address: `127.0.0.1:${port}`, host: '127.0.0.1', port }],
      environment: [],
    });
    parent.close();
    expect(await greetingFrom({ host: '127.0.0.1', port })).toBe(server.greeting);
  });

  test('a Unix socket is served, and known by its path', async (context) => {
    context.skip(!isLinux, 'the path is read from /proc/net/unix');
    const path = join(temporaryFolder(), 'a b.sock');
    const [parent, fd] = await inheritable({ path });
    const server = new ServerProcess({ inherit: [fd] });
    expect((await server.answer()).endpoints).toEqual([{ address: `unix:${path}`, path }]);
    linkSync(path, `${path}.link`);
    parent.close(); // and with it goes the path
    expect(await greetingFrom({ path: `${path}.link` })).toBe(server.greeting);
  });

  test('a Unix socket whose path has changed since is known by its descriptor', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const [parent, fd] = await inheritable({ path });
    renameSync(path, `${path}.moved`);
    const server = new ServerProcess({ inherit: [fd] });
    expect((await server.answer()).endpoints).toEqual([{ address: 'fd:3' }]);
    parent.close();
    expect(await greetingFrom({ path: `${path}.moved` })).toBe(server.greeting);
  });

  test('a socket file that the parent made is not removed', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const [, fd] = await inheritable({ path });
    const server = await start({ inherit: [fd] });
    await server.stop();
    expect(await greetingFrom({ path })).toBe('parent');
  });

  test('one of several is chosen by name', async () => {
    const [web, webFd] = await inheritable({ host: '127.0.0.1', port: 0 });
    const [admin, adminFd] = await inheritable({ host: '127.0.0.1', port: 0 });
    const server = new ServerProcess({ bind: 'systemd:admin', inherit: [webFd, adminFd], names: 'web:admin' });
    const { endpoints } = await server.answer();
    expect(endpoints?.map(({ port }) => port)).toEqual([portOf(admin)]);
    expect(await greetingFrom({ host: '127.0.0.1', port: portOf(web) })).toBe('parent');
  });

  test('a plain descriptor works without the variables of systemd', async () => {
    const [parent, fd] = await inheritable({ host: '127.0.0.1', port: 0 });
    const port = portOf(parent);
    const server = await start({ bind: 'fd:3', inherit: [fd] });
    parent.close();
    expect(await greetingFrom({ host: '127.0.0.1', port })).toBe(server.greeting);
  });

  test('a socket that is open to the network is refused without allowFrom', async () => {
    const [, fd] = await inheritable({ host: '0.0.0.0', port: 0 });
    const { code, message } = await new ServerProcess({ inherit: [fd] }).answer();
    expect(code).toBe('ERR_SCGI_ALLOW_FROM');
    expect(message).toContain('set allowFrom');
  });

  test('a descriptor that is not open is refused with the remedy', async () => {
    const { code, message } = await new ServerProcess({ bind: 'fd:99' }).answer();
    expect(code).toBe('ERR_SCGI_BIND');
    expect(message).toContain('let the parent process pass a listening socket');
  });
});

function portOf(server: Server): number {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('not a TCP server');
  return bound.port;
}
