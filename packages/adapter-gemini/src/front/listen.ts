// The Gemini front: a TLS server that gives its connections to a handler. Owns the listener, and the end of it all.

import type { Server, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { LocalProtocolError } from '@scgi/core';
import type { GeminiHandler } from '../handler.js';
import { lifespanOf } from '../lifespan.js';
import type { Lifespan } from '../lifespan.js';
import { defaultPort } from '../url.js';
import { FrontConnection } from './connection.js';
import type { FrontHost } from './connection.js';
import { resolveFrontSettings } from './options.js';
import type { FrontSettings, GeminiListenOptions } from './options.js';

export type { GeminiListenOptions } from './options.js';

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A front that listens. */
export interface GeminiServer {
  /** The address and port that are listened on. */
  readonly address: string;
  readonly port: number;
  /** Connections open now, those inside the TLS handshake included. */
  readonly connections: number;
  /**
   * Stops listening, lets requests in flight finish, runs the application's `onShutdown`.
   * @param options.timeout milliseconds after which what is still open is broken off. Default 30,000.
   */
  close(options?: { readonly timeout?: number | undefined }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves a handler over Gemini; resolves when it listens. An application's `onStartup` runs first.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option, ERR_SCGI_BIND for an address that cannot be had
 */
export async function listenGemini(handler: GeminiHandler, options: GeminiListenOptions): Promise<GeminiServer> {
  const settings = resolveFrontSettings(options);
  const server = createTlsServer(options, settings);
  const lifespan = lifespanOf(handler);
  await lifespan.start();
  try {
    await listen(server, settings);
  } catch (error) {
    await lifespan.stop();
    throw error;
  }
  return new Front(server, settings, handler, lifespan);
}

class Front implements GeminiServer, FrontHost {
  readonly address: string;
  readonly port: number;
  readonly settings: FrontSettings;
  readonly handler: GeminiHandler;
  readonly #server: Server;
  readonly #lifespan: Lifespan;
  readonly #sockets: Set<Socket> = new Set();
  readonly #open: Set<FrontConnection> = new Set();
  #closed: Promise<void> | undefined = undefined;
  #closing: boolean = false;

  constructor(server: Server, settings: FrontSettings, handler: GeminiHandler, lifespan: Lifespan) {
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : settings.port;
    this.address = typeof bound === 'object' && bound !== null ? bound.address : settings.host;
    this.port = settings.publicPort ?? port;
    this.settings = settings;
    this.handler = handler;
    this.#server = server;
    this.#lifespan = lifespan;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('secureConnection', (socket: TLSSocket) => this.#accept(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async close(options: { readonly timeout?: number | undefined } = {}): Promise<void> {
    const timeoutMs = options.timeout ?? DEFAULT_CLOSE_TIMEOUT_MS;
    this.#closed ??= this.#stop();
    const timer = timeoutMs > LONGEST_TIMER_MS ? undefined : setTimeout(() => this.#breakOff(), timeoutMs);
    await this.#closed.finally(() => clearTimeout(timer));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(socket: TLSSocket): void {
    if (this.#closing) {
      socket.on('error', () => {}).destroy();
      return;
    }
    const connection = new FrontConnection(socket, this);
    this.#open.add(connection);
    socket.on('close', () => this.#open.delete(connection));
  }

  async #stop(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#open) if (connection.isIdle) connection.destroy();
    await closed;
    await this.#lifespan.stop();
  }

  #breakOff(): void {
    for (const connection of this.#open) connection.destroy();
    // Those inside the handshake.
    for (const socket of this.#sockets) socket.destroy();
  }
}

function createTlsServer(options: GeminiListenOptions, settings: FrontSettings): Server {
  const { requestTimeout, maxConnections } = settings;
  const tlsOptions: TlsOptions = {
    ...options.tls,
    key: options.key,
    cert: options.cert,
    minVersion: options.tls?.minVersion === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
    // Any certificate is good: it is its fingerprint that is known again.
    requestCert: true,
    rejectUnauthorized: false,
    allowHalfOpen: true,
    noDelay: true,
    // For clients that vanish without a word while a body has nothing to say.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  if (requestTimeout > 0) tlsOptions.handshakeTimeout = requestTimeout;
  try {
    const server = createServer(tlsOptions);
    if (maxConnections !== Infinity) server.maxConnections = maxConnections;
    // Plain text, an old protocol, a client that left: Node destroys these. One that is silent, it leaves to us.
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  } catch (cause) {
    const fault = cause instanceof Error ? cause.message : undefined;
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'key, cert', fault }, { cause });
  }
}

function listen(server: Server, { host, port }: FrontSettings): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const remedy = port === defaultPort ? 'another Gemini server may listen there' : undefined;
      reject(new LocalProtocolError('ERR_SCGI_BIND', { host, port, problem: cause.code, remedy }, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      // Descriptors ran out while a connection was to be accepted: the next one may have one.
      server.on('error', () => {});
      resolve();
    });
  });
}
