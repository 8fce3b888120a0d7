// Where a mock backend is to be found: an address of its own that listens, refuses, or is not there, and can go from
// one to the other. Knows nothing of what happens on a connection.

import { once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One address. */
export interface MockListener {
  /** As `parseTarget` takes it. */
  readonly target: string;
  /** Listens, from now on or again. */
  listen(): Promise<void>;
  /** Refuses connections, where so far nothing was. */
  refuse(): Promise<void>;
  /** Closes the listener; connections that were accepted stay. The file of a Unix socket stays too, and refuses. */
  unlisten(): void;
  /** Frees the address. */
  close(): Promise<void>;
}

/** What becomes of an accepted socket. */
export type OnSocket = (socket: Socket) => void;

/** Of Node's default: every read stops after one chunk until somebody asks for more. */
const serverOptions = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, highWaterMark: 1 };

/** A Unix socket in a folder of its own. */
export async function unixListener(onSocket: OnSocket): Promise<MockListener> {
  const folder = await mkdtemp(join(tmpdir(), 'scgi-mock-'));
  const path = join(folder, 'backend.sock');
  let server: Server | undefined;
  const listen = async (): Promise<void> => {
    if (server?.listening === true) return;
    server = createServer(serverOptions, onSocket);
    // Node removes the file of the name it has listened on, which a process that dies does not.
    const firstName = join(folder, 'new');
    await once(server.listen(firstName), 'listening');
    await rename(firstName, path);
  };
  return {
    target: `unix:${path}`,
    listen,
    async refuse() {
      await listen();
      server?.close();
    },
    unlisten: () => void server?.close(),
    async close() {
      server?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port of 127.0.0.1. */
export async function tcpListener(onSocket: OnSocket): Promise<MockListener> {
  let server: Server | undefined;
  let port = 0;
  let keeper: KeptPort | undefined;
  return {
    get target() {
      return `127.0.0.1:${port}`;
    },
    async listen() {
      if (server?.listening === true) return;
      await keeper?.release();
      server = createServer(serverOptions, onSocket);
      await once(server.listen(port, '127.0.0.1'), 'listening');
      port = portOf(server);
    },
    async refuse() {
      keeper = await keepPort();
      port = keeper.port;
    },
    unlisten: () => void server?.close(),
    async close() {
      server?.close();
      await keeper?.release();
    },
  };
}

interface KeptPort {
  readonly port: number;
  release(): Promise<void>;
}

/**
 * A port that refuses connections and stays ours: the near end of a connection to somebody else holds it. One that was
 * merely free a moment ago would sooner or later belong to another test.
 */
async function keepPort(): Promise<KeptPort> {
  const far = createServer((socket) => socket.on('error', () => {}));
  await once(far.listen(0, '127.0.0.1'), 'listening');
  // With an address to bind to: otherwise the kernel may choose a port that an old connection to a third party has.
  const near = connect({ host: '127.0.0.1', port: portOf(far), localAddress: '127.0.0.1' });
  await once(near, 'connect');
  near.on('error', () => {});
  const release = async (): Promise<void> => {
    if (near.destroyed) return;
    far.close();
    // A reset, so that no TIME_WAIT keeps the port from us.
    await once(near.resetAndDestroy(), 'close');
  };
  return { port: near.localPort ?? 0, release };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
