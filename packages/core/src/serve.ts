// serveScgi(): one call from a listener to a running server. Puts the bridge and lifecycle/ together.

import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { BindSpec } from './lifecycle/bind.js';
import { resolveTargets } from './lifecycle/bind.js';
import type { Endpoint } from './lifecycle/listen.js';
import { listen } from './lifecycle/listen.js';
import { closeServer } from './lifecycle/net-server.js';
import type { ErrorHook, ScgiListener } from './node/guard-listener.js';
import { guardListener } from './node/guard-listener.js';
import { ScgiServer } from './scgi-server.js';
import type { ScgiServerOptions } from './scgi-server.js';
import type { ScgiBridge } from './server/index.js';

/** Options of `serveScgi`. */
export interface ServeOptions extends ScgiServerOptions {
  /**
   * Where to listen: a port, 'host:port', '[::1]:port', 'unix:/path?mode=0660&group=www-data', { fd }, or several.
   * Default: the socket systemd passed (LISTEN_FDS), else SCGI_BIND of the environment, else 127.0.0.1:4000.
   */
  bind?: BindSpec | readonly BindSpec[] | undefined;
  /** Hears of an application that threw or rejected; the peer hears only the status. Default: console.error. */
  onError?: ErrorHook | undefined;
}

/** A server that listens. */
export interface RunningServer {
  readonly server: ScgiServer;
  /** Where it listens; the real port where 0 was asked for. Nowhere, where it serves a connection that was open. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Stops listening, lets requests in flight finish, then resolves.
   * @param options.timeout milliseconds after which what is still open is broken off; Infinity: never. Default 30,000.
   */
  close(options?: { readonly timeout?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;
/** Turns without a connection that show an empty queue: one to poll, one to accept, one in reserve. */
const QUIET_TURNS = 3;
/** Node's default backlog, twice. */
const LONGEST_QUEUE = 1022;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Serves `listener` over SCGI; resolves when every address listens.
 * @throws {LocalProtocolError} ERR_SCGI_BIND, ERR_SCGI_ALLOW_FROM, ERR_SCGI_SOCKET_PATH, ERR_SCGI_SOCKET_IN_USE: an
 *   address cannot be had; then none is held. ERR_SCGI_OPTION: an option is impossible.
 */
export async function serveScgi(
  listener: ScgiListener | ScgiBridge,
  options: ServeOptions = {},
): Promise<RunningServer> {
  const targets = resolveTargets(options.bind, process.env, process.pid);
  const guarded = typeof listener === 'function' ? guardListener(listener, options.onError) : listener;
  const server = new ScgiServer(options, guarded);
  const endpoints: Endpoint[] = [];
  const acceptors: net.Server[] = [];
  const connections: net.Socket[] = [];
  const running = createRunningServer(server, endpoints, acceptors, connections);
  try {
    for (const target of targets) {
      if (target.kind === 'connection') continue;
      // The server itself takes the first address; a net.Server can hold only one.
      const acceptor = acceptors.length === 0 ? server : createAcceptor(server);
      const endpoint = await listen(acceptor, target, options);
      if (acceptor === server && endpoint.path !== undefined) server.socketPath = endpoint.path;
      endpoints.push(endpoint);
      acceptors.push(acceptor);
    }
  } catch (error) {
    await running.close({ timeout: 0 });
    throw error;
  }
  for (const target of targets) {
    if (target.kind !== 'connection') continue;
    connections.push(target.socket);
    connectLater(server, target.socket);
  }
  return running;
}

/** In a later turn, as if it had come from a listener: whoever has called `serveScgi` may want to hear of the request. */
function connectLater(server: ScgiServer, socket: net.Socket): void {
  globalThis.setImmediate(() => {
    if (!socket.destroyed) server.emit('connection', socket);
  });
}

function createRunningServer(
  server: ScgiServer,
  endpoints: readonly Endpoint[],
  acceptors: readonly net.Server[],
  connections: readonly net.Socket[],
): RunningServer {
  let closed: Promise<unknown> | undefined;
  const stopListening = async (): Promise<void> => {
    // First the socket files: nobody should find us any more.
    for (const endpoint of endpoints) await endpoint.release();
    await acceptWaiting(server);
    // No listener counts those that it has not accepted.
    const finished = [...acceptors.map(closeServer), ...connections.map(closedOf)];
    server.closeIdleConnections();
    await Promise.all(finished);
  };
  const close: RunningServer['close'] = async (options = {}) => {
    // Called again, perhaps with less patience, it waits for the same end.
    closed ??= stopListening();
    const timeoutMs = options.timeout ?? DEFAULT_CLOSE_TIMEOUT_MS;
    // A timer fires at once where its time does not fit 31 bits; Infinity means to wait.
    const deadline =
      timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(() => server.closeAllConnections(), timeoutMs);
    await closed.finally(() => clearTimeout(deadline));
  };
  return { server, endpoints, close, [Symbol.asyncDispose]: close };
}

function closedOf(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/**
 * Takes in who has connected and waits to be accepted: closing the listener would reset them, and nginx repeats no POST.
 * libuv accepts one connection a turn, so this goes on until a few turns bring none. On TCP, where new ones keep coming,
 * it ends after a whole queue of them.
 */
async function acceptWaiting(server: ScgiServer): Promise<void> {
  let quietTurns = 0;
  for (let turn = 0; turn < LONGEST_QUEUE && quietTurns < QUIET_TURNS; turn += 1) {
    const before = server.servedCount;
    await setImmediate();
    quietTurns = server.servedCount === before ? quietTurns + 1 : 0;
  }
}

/** A listener for one more address, which hands its connections to `server`. */
function createAcceptor(server: ScgiServer): net.Server {
  // As http.Server creates its own sockets.
  const acceptor = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.acceptFrom(acceptor, socket);
  });
  return acceptor;
}
