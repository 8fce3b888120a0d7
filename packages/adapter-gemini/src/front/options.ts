// The options of the Gemini front, their defaults and their check.

import { X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { resolveBound, resolveNumber, resolveTime } from '@scgi/client/exchange';
import { LocalProtocolError } from '@scgi/core';
import { logError } from '../handler.js';
import type { GeminiErrorHook } from '../handler.js';
import { defaultPort, readHost } from '../url.js';

/** Options of `listenGemini`. Times in milliseconds, 0 for none; limits null for none. */
export interface GeminiListenOptions {
  /** The private key, PEM. */
  readonly key: string | Buffer;
  /** The certificate, PEM; the chain behind it if there is one. */
  readonly cert: string | Buffer;
  /** Further options of `tls.createServer`: passphrase, ciphers, SNICallback … */
  readonly tls?: TlsOptions | undefined;
  /** Where to listen. Default 1965; 0 for any free port. */
  readonly port?: number | undefined;
  /** The address to listen on. Default '127.0.0.1'; '::' for all. */
  readonly host?: string | undefined;
  /** Names of this server: URLs with others are answered 53. Default: those of the certificate. */
  readonly hostnames?: readonly string[] | undefined;
  /** The port in the URLs of this server, where another one is forwarded to it. Default: the port it listens on. */
  readonly publicPort?: number | undefined;
  /** For the TLS handshake, and then for the request line. Default 10,000. */
  readonly requestTimeout?: number | undefined;
  /** Until the handler has a response; then the client gets 40. Default 60,000. */
  readonly handlerTimeout?: number | undefined;
  /** How long a client may take nothing of a response that it has not got yet. Default 60,000. */
  readonly idleTimeout?: number | undefined;
  /** How long to wait for the client to close once it has the response. Default 5,000. */
  readonly lingerTimeout?: number | undefined;
  /**
   * A client that ends its side within this time of its request waits for the response, as scripts around
   * `openssl s_client` do, but not for longer than `idleTimeout` without a byte; one that ends it later has left.
   * Default 250.
   */
  readonly halfCloseTime?: number | undefined;
  /** Connections open at once; more are closed at once. Default 1,000. */
  readonly maxConnections?: number | null | undefined;
  /** Hears of handlers and bodies that fail; the client hears no detail. Default: console.error. */
  readonly onError?: GeminiErrorHook | undefined;
}

/** `GeminiListenOptions`, checked and complete. */
export interface FrontSettings {
  readonly port: number;
  readonly host: string;
  readonly publicPort: number | undefined;
  readonly isOurs: (host: string) => boolean;
  readonly requestTimeout: number;
  readonly handlerTimeout: number;
  readonly idleTimeout: number;
  readonly lingerTimeout: number;
  readonly halfCloseTime: number;
  readonly maxConnections: number;
  readonly onError: GeminiErrorHook;
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveFrontSettings(options: GeminiListenOptions): FrontSettings {
  const { publicPort } = options;
  return {
    port: resolveNumber('port', options.port, defaultPort, 0, 65_535),
    host: options.host ?? '127.0.0.1',
    publicPort: publicPort === undefined ? undefined : resolveNumber('publicPort', publicPort, 0, 1, 65_535),
    isOurs: options.hostnames === undefined ? namesOf(options.cert) : anyOf(options.hostnames),
    requestTimeout: resolveTime('requestTimeout', options.requestTimeout, 10_000),
    handlerTimeout: resolveTime('handlerTimeout', options.handlerTimeout, 60_000),
    idleTimeout: resolveTime('idleTimeout', options.idleTimeout, 60_000),
    lingerTimeout: resolveTime('lingerTimeout', options.lingerTimeout, 5000),
    halfCloseTime: resolveTime('halfCloseTime', options.halfCloseTime, 250),
    maxConnections: resolveBound('maxConnections', options.maxConnections, 1000),
    onError: options.onError ?? logError,
  };
}

function anyOf(hostnames: readonly string[]): (host: string) => boolean {
  const names = new Set<string>();
  for (const hostname of hostnames) {
    const name = readHost(hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname);
    if (name === undefined || name === '') {
      throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'hostnames', value: hostname });
    }
    names.add(name);
  }
  return (host) => names.has(host);
}

/** What the certificate is for, wildcards included. */
function namesOf(cert: string | Buffer): (host: string) => boolean {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(cert);
  } catch (cause) {
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'cert', fault: 'no certificate in PEM' }, { cause });
  }
  return (host) => certificate.checkHost(host) !== undefined || certificate.checkIP(host) !== undefined;
}
