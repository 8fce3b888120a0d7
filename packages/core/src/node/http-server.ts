// An `http.Server` whose connections speak SCGI: emits what Node's server emits, with real request and response
// objects, so that ws, Fastify's serverFactory and tracing tools that hook `http.Server.prototype.emit` work.
// What may connect and listen is not decided here.

import type { IncomingMessage, RequestListener, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { FrontEnd, FrontEndOptions, ScgiRequest } from '../env/index.js';
import { readRequest, resolveBodyLength, resolveFrontEnd, splitBasePath } from '../env/index.js';
import type { RequestHead, ScgiError } from '../protocol/index.js';
import { LocalProtocolError, RemoteProtocolError, RequestDecoder, RequestRules } from '../protocol/index.js';
import { resolveLimit } from '../protocol/limits.js';
import type { ConnectionHost, ConnectionSocket, HalfOpenRule, RequestHandler, ScgiBridge } from '../server/index.js';
import { ConnectionSweep, formatErrorResponse, readEvents, ScgiConnection } from '../server/index.js';
import { NodeExchange, responseClass } from './exchange.js';
import { HandedOverSockets } from './handed-over.js';
import { http } from './http.js';
import type { ResponseClass, ResponseOptions } from './internals/response.js';
import { inherited, resetOnDestroy, serverOf, setSocketServer, socketOf, takenBytes } from './internals/socket.js';
import { exchangeOf } from './peer-socket.js';
import { becomeStream, readDirectly } from './socket-reading.js';
import { NodeUpgrade } from './upgrade.js';

/** Options of the SCGI side, beside those of `http.createServer`. Times in milliseconds, sizes in bytes. */
export interface ScgiHttpServerOptions extends ServerOptions {
  /** From accept until the request head is complete; 0 for no limit. Default 10,000. */
  headersTimeout?: number | undefined;
  /** From accept until the request body is complete; 0 for no limit. Default 300,000, as in Node. */
  requestTimeout?: number | undefined;
  /**
   * Without a byte arriving while the body is awaited, or leaving while the response is blocked or the peer has
   * half-closed; 0 for none. Default 60,000.
   */
  idleTimeout?: number | undefined;
  /** After the response: silence after which an unread body is no longer awaited. Default 5,000; four times that in all. */
  lingerTimeout?: number | undefined;
  /** After the response: how much of an unread body is read and discarded before the connection is cut. Default 64 MiB. */
  lingerBytes?: number | undefined;
  /** Body bytes taken in beyond the application's demand while its response is blocked. Default 1 MiB. */
  maxBufferedBody?: number | undefined;
  /** How an EOF behind a complete request is read. Default 'auto'. */
  halfOpen?: HalfOpenRule | undefined;
  /** Largest request head. Default `maxHeaderSize`, else 128 KiB. */
  maxHeadBytes?: number | undefined;
  /** Most variables in a head. Default 1,000. */
  maxVariables?: number | undefined;
  /** Largest request body. Default unlimited: the front end has its own limit. */
  maxBodyBytes?: number | undefined;
  /** Hold the peer to the SCGI specification to the letter. Default false. */
  strict?: boolean | undefined;
  /** Accept requests without SCGI or CONTENT_LENGTH, as hand-made clients send. Default false. */
  lax?: boolean | undefined;
  /**
   * Path prefix that the application does not see, e.g. '/app', or 'SCRIPT_NAME' for the one the front end states:
   * `req.url` is what follows it, `req.originalUrl` the whole; requests outside of it are answered 404. Default none.
   */
  basePath?: string | undefined;
  /** Send `X-Accel-Buffering: no` with event streams, so that nginx passes each event on. Default true. */
  unbufferedEvents?: boolean | undefined;
  /** What the front end was configured to do for `localRedirect` and `sendfile`. Default nothing. */
  frontEnd?: FrontEndOptions | undefined;
}

/** Where an application is mounted, and what it sees of the target. */
export interface Mount {
  readonly basePath: string;
  readonly url: string;
}

const DEFAULT_HEADERS_TIMEOUT_MS = 10_000;
const IDLE_GRACE_MS = 1000;

/** See `ScgiServer` for the public class. */
export class ScgiHttpServer extends http.Server implements ConnectionHost {
  idleTimeout: number;
  lingerTimeout: number;
  lingerBytes: number;
  maxBufferedBody: number;
  /** @internal */
  readonly incomingMessageClass: typeof IncomingMessage;
  /** @internal */
  readonly responseClass: ResponseClass;
  /** @internal */
  readonly joinsDuplicateFields: boolean;
  readonly unbufferedEvents: boolean;
  readonly frontEndSettings: FrontEnd;
  readonly #bridge: ScgiBridge | undefined;
  readonly #halfOpen: HalfOpenRule;
  readonly #basePath: string;
  readonly #responseOptions: ResponseOptions;
  readonly #requestRules: RequestRules;
  readonly #connections: ConnectionSweep;
  readonly #handedOver: HandedOverSockets;
  #servedCount: number;

  constructor(options: ScgiHttpServerOptions, listener?: RequestListener | ScgiBridge) {
    super(withHeadersTimeout(options), typeof listener === 'object' ? undefined : listener);
    this.#bridge = typeof listener === 'object' ? listener : undefined;
    this.idleTimeout = resolveLimit('idleTimeout', options.idleTimeout, 60_000, 0);
    this.lingerTimeout = resolveLimit('lingerTimeout', options.lingerTimeout, 5000, 0);
    this.lingerBytes = resolveLimit('lingerBytes', options.lingerBytes, 64 * 1024 * 1024, 0);
    this.maxBufferedBody = resolveLimit('maxBufferedBody', options.maxBufferedBody, 1024 * 1024, 0);
    this.incomingMessageClass = options.IncomingMessage ?? http.IncomingMessage;
    this.responseClass = responseClass(options.ServerResponse ?? http.ServerResponse);
    this.joinsDuplicateFields = options.joinDuplicateHeaders ?? false;
    this.unbufferedEvents = options.unbufferedEvents ?? true;
    this.frontEndSettings = resolveFrontEnd(options.frontEnd);
    this.#halfOpen = checkHalfOpen(options.halfOpen);
    this.#basePath = checkBasePath(options.basePath);
    this.#responseOptions = {
      highWaterMark: options.highWaterMark,
      rejectNonStandardBodyWrites: options.rejectNonStandardBodyWrites ?? false,
    };
    this.#requestRules = requestRules(options);
    this.#connections = new ConnectionSweep(this);
    this.#handedOver = new HandedOverSockets();
    this.#servedCount = 0;
    this.removeAllListeners('connection');
    this.on('connection', (socket) => this.#accept(socket));
  }

  get halfOpen(): HalfOpenRule {
    // The name under which Node's server has the same switch.
    return Reflect.get(this, 'httpAllowHalfOpen') === true ? 'allow' : this.#halfOpen;
  }

  /** @internal */
  get responseOptions(): ResponseOptions {
    return this.#responseOptions;
  }

  /** Connections served so far. */
  get servedCount(): number {
    return this.#servedCount;
  }

  /** Connections open now. */
  get connectionCount(): number {
    return this.#connections.size + this.#handedOver.size;
  }

  createHandler(connection: ScgiConnection, head: RequestHead): RequestHandler {
    const facts = this.#bridge?.readRequest?.(head) ?? readRequest(head.text, head.bodyLength);
    // Apache forwards it. Node's server hangs up, having no listener for `connect`; no application expects its target.
    if (facts.method === 'CONNECT') throw new RemoteProtocolError('ERR_SCGI_REQUEST_METHOD', { value: 'CONNECT' });
    const mount = this.mountOf(facts);
    if (mount !== undefined && this.#bridge !== undefined) {
      const { unbufferedEvents, frontEndSettings: frontEnd } = this;
      return this.#bridge.createHandler({ connection, head, facts, ...mount, unbufferedEvents, frontEnd });
    }
    // Node's own server has bodies behind an upgrade only since version 26, and in no front end.
    const mayUpgrade = facts.upgrade !== undefined && head.bodyLength === 0 && mount !== undefined;
    if (mayUpgrade && this.listenerCount('upgrade') > 0) {
      const upgrade = new NodeUpgrade(this, connection, head, facts);
      if (acceptsUpgrade(this, upgrade.request)) return upgrade;
    }
    return new NodeExchange(this, connection, head, facts);
  }

  onPeerError(connection: ScgiConnection, error: Error): boolean {
    return this.emit('clientError', error, connection.socket);
  }

  formatError(error: ScgiError): string {
    return this.#bridge?.formatError?.(error) ?? formatErrorResponse(error);
  }

  onConnectionClose(connection: ScgiConnection): void {
    this.#connections.delete(connection);
  }

  onHandOver(connection: ScgiConnection): void {
    const socket = socketOf(connection.socket);
    this.#connections.delete(connection);
    this.#handedOver.add(socket);
    // A time-out still shows on the socket, and concerns nobody else.
    socket.removeListener('timeout', onSocketTimeout);
    socket.setTimeout = inherited(socket, 'setTimeout');
    becomeStream(socket);
  }

  reset(socket: ConnectionSocket, error?: Error): void {
    resetOnDestroy(socketOf(socket));
    socket.destroy(error);
  }

  takenBytes(socket: ConnectionSocket): number {
    return takenBytes(socket);
  }

  /** The mount point of a request; undefined for one outside of it, which is not the application's. */
  mountOf(facts: ScgiRequest): Mount | undefined {
    const basePath = this.#basePath === 'SCRIPT_NAME' ? facts.scriptName : this.#basePath;
    if (basePath === '') return { basePath, url: facts.target };
    const url = splitBasePath(facts.target, basePath);
    return url === undefined ? undefined : { basePath, url };
  }

  override closeAllConnections(): void {
    for (const connection of this.#connections) connection.socket.destroy();
    this.#handedOver.destroyAll();
  }

  /**
   * Closes the connections on which nothing has arrived in their first second. Younger ones get the rest of it: a
   * front end sends its request with the connection, so its bytes may be here already, and nginx repeats no POST.
   */
  override closeIdleConnections(): void {
    const now = performance.now();
    for (const connection of this.#connections) {
      if (!connection.isIdle) continue;
      const graceMs = connection.acceptedAt + IDLE_GRACE_MS - now;
      if (graceMs <= 0) connection.socket.destroy();
      // The open socket keeps the process alive until then.
      else setTimeout(closeIfIdle, graceMs, connection).unref();
    }
  }

  /** Serves SCGI on a socket that this server or another one has accepted. */
  serve(socket: Socket): void {
    this.#servedCount += 1;
    // Another listener accepted it; otherwise net.Server has done this.
    if (serverOf(socket) !== this) setSocketServer(socket, this);
    socket.setTimeout = setSocketTimeout;
    if (this.timeout > 0) socket.setTimeout(this.timeout);
    this.#connections.add(new ScgiConnection(socket, new RequestDecoder(this.#requestRules), this));
    if (!readDirectly(socket)) readEvents(socket);
  }

  /** Whether this server's own listener may hand on the peer: asked before a byte is read. */
  protected admits(_socket: Socket): boolean {
    return true;
  }

  #accept(socket: Socket): void {
    if (this.admits(socket)) this.serve(socket);
    else socket.destroy();
  }
}

function closeIfIdle(connection: ScgiConnection): void {
  if (connection.isIdle) connection.socket.destroy();
}

/**
 * Shadows `socket.setTimeout`, which `req.setTimeout` and `res.setTimeout` call too: only now somebody has to listen for
 * `timeout`, and most sockets never have one.
 */
function setSocketTimeout(this: Socket, timeoutMs: number, onTimeout?: () => void): Socket {
  if (this.listenerCount('timeout', onSocketTimeout) === 0) this.on('timeout', onSocketTimeout);
  return inherited(this, 'setTimeout').call(this, timeoutMs, onTimeout);
}

/** Node 22 and later: the option `shouldUpgradeCallback`. */
function acceptsUpgrade(server: ScgiHttpServer, request: IncomingMessage): boolean {
  const decide: unknown = Reflect.get(server, 'shouldUpgradeCallback');
  return typeof decide !== 'function' || decide.call(server, request) !== false;
}

/** As Node's server does: whoever listens is responsible, otherwise the connection ends. */
function onSocketTimeout(this: Socket): void {
  const byExchange = exchangeOf(this)?.emitTimeout() ?? false;
  const byServer = serverOf(this)?.emit('timeout', this) ?? false;
  if (!byExchange && !byServer) this.destroy();
}

/** The options of http.Server with a default of our own. What is no object is for Node to refuse. */
function withHeadersTimeout(options: ScgiHttpServerOptions): ScgiHttpServerOptions {
  if (typeof options !== 'object' || options.headersTimeout !== undefined) return options;
  const requestTimeout = options.requestTimeout || Infinity;
  return { ...options, headersTimeout: Math.min(DEFAULT_HEADERS_TIMEOUT_MS, requestTimeout) };
}

function requestRules(options: ScgiHttpServerOptions): RequestRules {
  return new RequestRules({
    // Node reads 0 as its default.
    maxHeadBytes: options.maxHeadBytes ?? (options.maxHeaderSize || undefined),
    maxVariables: options.maxVariables,
    maxBodyBytes: options.maxBodyBytes,
    strict: options.strict,
    lax: options.lax,
    bodyLength: resolveBodyLength,
    bodyLengthWitness: 'HTTP_CONTENT_LENGTH',
  });
}

function checkHalfOpen(halfOpen: HalfOpenRule = 'auto'): HalfOpenRule {
  if (halfOpen === 'auto' || halfOpen === 'allow' || halfOpen === 'abort') return halfOpen;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { halfOpen, remedy: 'write auto, allow or abort' });
}

function checkBasePath(basePath: string | undefined): string {
  if (basePath === undefined || basePath === 'SCRIPT_NAME') return basePath ?? '';
  if (typeof basePath !== 'string' || !/^\/[^?#]*$/.test(basePath)) {
    const remedy = 'write a path such as /app, or SCRIPT_NAME';
    throw new LocalProtocolError('ERR_SCGI_OPTION', { basePath, remedy });
  }
  return basePath.replace(/\/+$/, '');
}
