// A Unix socket that appears at its path complete: listening, with its owner and mode, or not at all.
// It is made in a private folder beside the path, where nobody can connect before the mode is right, and then linked to
// the path, which fails if somebody else was faster. Node would unlink the path it listened on when the server closes,
// even if another process has put its own socket there since; it only knows the private name, so the path is ours to
// remove, and we remove it only while it is still our socket.
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { LocalProtocolError } from '../protocol/errors.js';
import type { UnixTarget } from './listen-target.js';
import { closeServer, startListening, systemErrorCode } from './net-server.js';
import { resolveGroup, resolveUser, unchanged } from './socket-owner.js';

/** A socket file that this process made. */
export interface OwnedSocket {
  /** Absolute. */
  readonly path: string;
  /**
   * Removes the file if it is still ours. Call it before the server closes: as long as our socket is open, its inode
   * number cannot be given to somebody else's.
   */
  release(): void;
}

// sizeof(sun_path) less the final NUL: unix(7), unix(4). Node before 24 cuts a longer path without a word.
const maxPathBytes = process.platform === 'linux' ? 107 : 103;
const stagedName = 's';
const shortestStaging = '.x/s'.length;
const probeTimeoutMs = 1000;
// Every further attempt means that somebody else changed the path in between.
const maxAttempts = 20;

/**
 * Lets the server listen at the path of the target. A stale socket (nobody listens) is replaced.
 * @throws LocalProtocolError ERR_SCGI_SOCKET_IN_USE: somebody listens there.
 * @throws LocalProtocolError ERR_SCGI_SOCKET_PATH: the path is too long, not a socket, or cannot be written.
 * @throws LocalProtocolError ERR_SCGI_BIND: no such user or group.
 */
export async function listenUnix(server: Server, target: UnixTarget, signal?: AbortSignal): Promise<OwnedSocket> {
  const path = resolve(target.path);
  checkLength(path);
  const uid = resolveUser(target.user);
  const gid = resolveGroup(target.group);
  let stale = await findStaleSocket(path);
  signal?.throwIfAborted();
  const staging = makeStagingFolder(path);
  try {
    const staged = join(staging, stagedName);
    // exclusive: a cluster worker must not ask the primary for the private name.
    await startListening(server, { path: staged, backlog: target.backlog, exclusive: true });
    try {
      dress(staged, path, uid, gid, target.mode);
      const identity = identify(staged);
      for (let attempt = 0; !publish(staged, path, stale); attempt += 1) {
        if (attempt === maxAttempts) throw inUse(path, 'others keep replacing it');
        stale = await findStaleSocket(path);
      }
      return ownedSocket(path, identity);
    } catch (error) {
      await closeServer(server);
      throw error;
    }
  } catch (error) {
    throw error instanceof LocalProtocolError ? error : unusable(path, error);
  } finally {
    removeStagingFolder(staging);
  }
}

function checkLength(path: string): void {
  // A very short name is made under a longer one: the private folder.
  const shortest = join(dirname(path), 'x'.repeat(shortestStaging));
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(shortest));
  if (bytes <= maxPathBytes) return;
  throw new LocalProtocolError('ERR_SCGI_SOCKET_PATH', {
    path,
    problem: `it takes ${bytes} bytes, a socket address holds ${maxPathBytes}`,
    remedy: 'choose a shorter path, such as /run/app.sock',
  });
}

/** The stale socket at the path, or undefined if the path is free. Throws if it is anything else. */
async function findStaleSocket(path: string): Promise<BigIntStats | undefined> {
  const found = identifyIfPresent(path);
  if (found === undefined) return undefined;
  if (!found.isSocket()) {
    throw new LocalProtocolError('ERR_SCGI_SOCKET_PATH', {
      path,
      problem: found.isSymbolicLink() ? 'a symbolic link is in the way' : 'a file that is not a socket is in the way',
      remedy: 'remove it, or choose another path',
    });
  }
  const answer = await probe(path);
  if (answer === 'ENOENT') return undefined;
  if (answer === 'EACCES' || answer === 'EPERM') throw foreignSocket(path, found);
  if (answer !== 'ECONNREFUSED') throw inUse(path, answer);
  const user = process.geteuid?.();
  if (user !== 0 && user !== undefined && found.uid !== BigInt(user)) throw foreignSocket(path, found);
  return found;
}

/** 'connected', 'timeout' or the code of the error. Only ECONNREFUSED proves that nobody listens. */
function probe(path: string): Promise<string> {
  return new Promise((answer) => {
    const socket = connect({ path });
    const finish = (result: string): void => {
      socket.destroy();
      answer(result);
    };
    socket.on('connect', () => finish('connected'));
    socket.on('error', (error) => finish(systemErrorCode(error) ?? 'unknown'));
    socket.setTimeout(probeTimeoutMs, () => finish('timeout'));
  });
}

/** A folder of our own beside the path: a folder elsewhere could be on another file system. */
function makeStagingFolder(path: string): string {
  const folder = dirname(path);
  const room = maxPathBytes - Buffer.byteLength(join(folder, 'x')) + 1 - `/${stagedName}`.length;
  for (let attempt = 0; ; attempt += 1) {
    // A name that nobody has, and no secret: mkdir takes none that is there. So node:crypto need not be loaded.
    const staging = join(folder, `.${Math.random().toString(36).slice(2, 10)}`.slice(0, room));
    try {
      mkdirSync(staging, { mode: 0o700 });
      return staging;
    } catch (error) {
      // With a long path there is room for a single random character only.
      if (systemErrorCode(error) === 'EEXIST' && attempt < 100) continue;
      throw unusable(path, error);
    }
  }
}

function removeStagingFolder(staging: string): void {
  // By name, never recursively: whatever else may be in there is not ours.
  try {
    rmSync(join(staging, stagedName), { force: true });
    rmSync(join(staging, 'stale'), { force: true });
    rmdirSync(staging);
  } catch {
    // An empty private folder stays behind: no reason to stop a server that listens, or to hide why it does not.
  }
}

/** Owner first: the mode must not open the socket to a group that it is about to lose. */
function dress(staged: string, path: string, uid: number, gid: number, mode: number): void {
  try {
    if (uid !== unchanged || gid !== unchanged) chownSync(staged, uid, gid);
  } catch (cause) {
    const remedy = 'only root may give it to another user; a group must be one that the user of this process is in';
    const details = { path, problem: `its owner cannot be set: ${systemErrorCode(cause)}`, remedy };
    throw new LocalProtocolError('ERR_SCGI_SOCKET_PATH', details, { cause });
  }
  chmodSync(staged, mode);
}

/** Puts our socket at the path; false if somebody else has put something there since we looked. */
function publish(staged: string, path: string, stale: BigIntStats | undefined): boolean {
  if (stale !== undefined && !takeAway(path, stale, join(dirname(staged), 'stale'))) return false;
  try {
    linkSync(staged, path); // Unlike rename(2), link(2) never takes the path from somebody else.
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale socket out of the way; false if the path holds something else by now. */
function takeAway(path: string, stale: BigIntStats, to: string): boolean {
  const found = identifyIfPresent(path);
  if (found === undefined) return true;
  if (!isSame(found, stale)) return false;
  try {
    renameSync(path, to);
  } catch (error) {
    // Somebody else was faster to take the stale socket away.
    if (systemErrorCode(error) === 'ENOENT') return true;
    throw error;
  }
  if (isSame(identify(to), stale)) return true;
  // Somebody replaced the stale socket between the last two calls, and we have just moved theirs.
  linkSync(to, path);
  return false;
}

function ownedSocket(path: string, identity: BigIntStats): OwnedSocket {
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    const found = identifyIfPresent(path);
    if (found !== undefined && isSame(found, identity)) unlinkSync(path);
  };
  return { path, release };
}

function identify(path: string): BigIntStats {
  // bigint: inode numbers of some file systems are beyond 2^53.
  return lstatSync(path, { bigint: true });
}

function identifyIfPresent(path: string): BigIntStats | undefined {
  try {
    return identify(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

function isSame(one: BigIntStats, other: BigIntStats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

function inUse(path: string, probed: string): LocalProtocolError {
  const remedy = 'stop that process (ss -xlp shows it), or choose another path';
  return new LocalProtocolError('ERR_SCGI_SOCKET_IN_USE', { path, probed, remedy });
}

function foreignSocket(path: string, found: BigIntStats): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_SOCKET_PATH', {
    path,
    problem: `a socket of another user (uid ${found.uid}) is in the way`,
    remedy: 'remove it if nobody uses it, or choose another path',
  });
}

function unusable(path: string, cause: unknown): LocalProtocolError {
  const code = systemErrorCode(cause) ?? 'unknown';
  const [problem, remedy] = explain(code, dirname(path));
  return new LocalProtocolError('ERR_SCGI_SOCKET_PATH', { path, problem, remedy }, { cause });
}

function explain(code: string, folder: string): [problem: string, remedy: string] {
  const create = `mkdir -p ${folder}; under systemd, RuntimeDirectory= makes it`;
  switch (code) {
    case 'ENOENT':
      return [`the folder ${folder} does not exist`, create];
    case 'ENOTDIR':
      return [`${folder} is not a folder`, 'choose another path'];
    case 'EACCES':
    case 'EPERM':
      return [
        `no permission to create files in ${folder}`,
        `let uid ${process.geteuid?.()} write there, or choose a folder of its own; under systemd, RuntimeDirectory= makes one`,
      ];
    case 'EROFS':
      return [`${folder} is on a read-only file system`, 'choose a path below /run'];
    default:
      return [code, 'choose another path, such as /run/app.sock'];
  }
}
