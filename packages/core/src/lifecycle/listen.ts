// Opens one listen target on a net.Server and says what it became: an Endpoint. Knows the server, never a connection.
// Fails closed: an address beyond loopback needs allowFrom, and the address that is really bound is what counts.
import { lookup } from 'node:dns/promises';
import { isIP, isIPv6, type Server } from 'node:net';
import { LocalProtocolError } from '../protocol/errors.js';
import { assertBindAllowed } from './access.js';
import type { InheritedTarget, ListenTarget, TcpTarget } from './listen-target.js';
import { inheritedSocketPath } from './inherited-socket.js';
import { startListening, systemErrorCode } from './net-server.js';
import { listenUnix } from './unix-socket.js';

/** Where a server listens. */
export interface Endpoint {
  /** '127.0.0.1:4000', '[::1]:4000', 'unix:/run/app.sock'; 'fd:3' for an inherited Unix socket without a known path. */
  readonly address: string;
  /** The bound IP address; absent for Unix sockets. */
  readonly host?: string;
  /** The bound port: the real one also if 0 was asked for. */
  readonly port?: number;
  /** Absolute path of a Unix socket, if known. */
  readonly path?: string;
  /** Removes the socket file that we made, unless another process took the path over. Call it before `server.close()`. */
  release(): Promise<void>;
}

export interface ListenSettings {
  /** Who may connect: without it, only loopback addresses are opened. See createPeerFilter. */
  readonly allowFrom?: readonly string[] | undefined;
  /** Gives up until the server listens; later it has no effect. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lets `server` listen on `target`. On failure the server does not listen and nothing is left behind.
 * @throws LocalProtocolError ERR_SCGI_BIND: the address cannot be bound; `cause` is the system's error.
 * @throws LocalProtocolError ERR_SCGI_ALLOW_FROM: the address is beyond loopback and allowFrom names nobody.
 * @throws LocalProtocolError ERR_SCGI_SOCKET_PATH, ERR_SCGI_SOCKET_IN_USE: see listenUnix.
 */
export async function listen(server: Server, target: ListenTarget, settings: ListenSettings = {}): Promise<Endpoint> {
  settings.signal?.throwIfAborted();
  if (server.listening) {
    const remedy = 'use one server for each address';
    throw new LocalProtocolError('ERR_SCGI_BIND', {
      problem: 'this server listens already',
      remedy,
    });
  }
  switch (target.kind) {
    case 'tcp':
      return listenTcp(server, target, settings);
    case 'fd':
      return listenInherited(server, target, settings);
    case 'unix': {
      const { path, release } = await listenUnix(server, target, settings.signal);
      return { address: `unix:${path}`, path, release: async () => release() };
    }
  }
}

async function listenTcp(server: Server, target: TcpTarget, settings: ListenSettings): Promise<Endpoint> {
  const { host: name, port, backlog } = target;
  const bind = formatAddress(name, port);
  const host = isIP(name) === 0 ? await explainFailure(bind, resolveHost(name)) : name;
  settings.signal?.throwIfAborted();
  assertBindAllowed({ address: formatAddress(host, port), host }, settings.allowFrom);
  await explainFailure(
    bind,
    startListening(server, { host, port, backlog }, () => checkBound(server, settings)),
  );
  return tcpEndpoint(server) ?? namelessEndpoint(bind);
}

async function listenInherited(server: Server, { fd }: InheritedTarget, settings: ListenSettings): Promise<Endpoint> {
  await explainFailure(
    `fd:${fd}`,
    startListening(server, { fd }, () => checkBound(server, settings)),
  );
  const endpoint = tcpEndpoint(server);
  if (endpoint !== undefined) return endpoint;
  const path = inheritedSocketPath(fd);
  return path === undefined ? namelessEndpoint(`fd:${fd}`) : { ...namelessEndpoint(`unix:${path}`), path };
}

// One address, and the IPv4 one if there is a choice: "localhost" in a web server's configuration mostly means that.
async function resolveHost(name: string): Promise<string> {
  const { address } = await lookup(name, { order: 'ipv4first' });
  return address;
}

function checkBound(server: Server, { allowFrom }: ListenSettings): void {
  const endpoint = tcpEndpoint(server);
  if (endpoint !== undefined) assertBindAllowed(endpoint, allowFrom);
}

function tcpEndpoint(server: Server): Endpoint | undefined {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') return undefined;
  const { address: host, port } = bound;
  return { ...namelessEndpoint(formatAddress(host, port)), host, port };
}

function namelessEndpoint(address: string): Endpoint {
  return { address, release: async () => {} };
}

function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

async function explainFailure<T>(bind: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const code = systemErrorCode(cause);
    if (code === undefined || cause instanceof LocalProtocolError) throw cause;
    const [problem, remedy] = explain(code);
    throw new LocalProtocolError('ERR_SCGI_BIND', { bind, problem, remedy }, { cause });
  }
}

function explain(code: string): [problem: string, remedy: string] {
  switch (code) {
    case 'EADDRINUSE':
      return ['another process listens there', 'stop it (ss -tlnp shows it), or choose another port'];
    case 'EACCES':
      return ['no permission for this port', 'choose a port from 1024 up, or let systemd open it (bind: systemd)'];
    case 'EADDRNOTAVAIL':
      return ['this machine does not have that address', 'bind to one that it has, such as 127.0.0.1'];
    case 'EAFNOSUPPORT':
      return ['this machine has no addresses of that family', 'bind to 127.0.0.1'];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['the host name has no address', 'write an address such as 127.0.0.1, or mend the name'];
    case 'EINVAL':
    case 'ENOTSOCK':
    case 'EBADF':
    case 'ERR_INVALID_FD_TYPE':
      return [
        `${code}: not an open stream socket`,
        'let the parent process pass a listening socket as this descriptor',
      ];
    default:
      return [code, 'choose another address'];
  }
}
