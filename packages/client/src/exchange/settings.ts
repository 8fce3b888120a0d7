// The options of a backend that client and gateway share, their defaults and their check.
// Limits: null for none, and 0 means zero. Times: milliseconds, 0 for none, as everywhere in Node.js.

import { LocalProtocolError } from '@scgi/core/protocol';
import type { ExchangeSettings } from './exchange.js';
import type { Balance, PeerSettings } from './peers.js';
import { defaultBlockBytes } from './read-blocks.js';
import type { SlotSettings } from './slots.js';

/** How to talk to a backend. Times in milliseconds, 0 for none; limits null for none. */
export interface BackendOptions {
  /** Until the backend has accepted the connection. Default 5,000. */
  readonly connectTimeout?: number | undefined;
  /** From the last byte of the request to the first one of the answer. Default 60,000, as nginx. */
  readonly firstByteTimeout?: number | undefined;
  /** Without a byte moving inside a body. Default 60,000, as nginx. */
  readonly idleTimeout?: number | undefined;
  /** From the call to the last byte of the answer, waiting for a connection included. Default 0: none. */
  readonly totalTimeout?: number | undefined;
  /** Largest head of an answer in bytes. Default 65,536, as lighttpd. */
  readonly maxHeadBytes?: number | null | undefined;
  /** Longest line of that head in bytes. Default 8,192, about as Apache. */
  readonly maxLineBytes?: number | null | undefined;
  /** Largest body of an answer in bytes. Default null: none. */
  readonly maxResponseSize?: number | null | undefined;
  /** Connections open at once. Default null: no limit. */
  readonly maxConcurrent?: number | null | undefined;
  /** Requests that wait for a connection; more are refused at once. Default 1,000. */
  readonly maxQueued?: number | null | undefined;
  /** How long a request waits for a connection. Default 10,000. */
  readonly queueTimeout?: number | undefined;
  /** How often to try again when no address could be connected to; only requests of idempotent methods. Default 0. */
  readonly retries?: number | undefined;
  /** Before the first retry; doubled for each further one. Default 100. */
  readonly retryDelay?: number | undefined;
  /** Which of several addresses gets a request. Default 'first': the others stand by. */
  readonly balance?: Balance | undefined;
  /** Failures in a row after which an address is left alone; 0 for never. Default 1, as nginx. */
  readonly maxFails?: number | undefined;
  /** How long it is left alone. Default 10,000, as nginx. */
  readonly failTimeout?: number | undefined;
  /** How long an address that came back gets less than its share. Default 0. */
  readonly slowStart?: number | undefined;
  /** End our side of the connection once the request is sent: some servers wait for it. Default false: others take it for a client that left. */
  readonly halfClose?: boolean | undefined;
  /** Most bytes to read at once. Default 65,536. */
  readonly bufferSize?: number | undefined;
}

/** `BackendOptions`, checked and complete. `Infinity` for no limit, but `Number.MAX_SAFE_INTEGER` where a decoder gets it. */
export interface BackendSettings extends ExchangeSettings, SlotSettings, PeerSettings {
  readonly totalTimeout: number;
  readonly maxHeadBytes: number;
  readonly maxLineBytes: number;
  readonly maxResponseSize: number;
  readonly retries: number;
  readonly retryDelay: number;
  readonly bufferSize: number;
}

/** Longest time a Node timer can wait. */
export const MAX_TIMEOUT_MS = 2_147_483_647;
const balances: readonly Balance[] = ['first', 'round-robin', 'least-connections'];

/** @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option */
export function resolveBackendSettings(options: BackendOptions): BackendSettings {
  return {
    connectTimeout: resolveTime('connectTimeout', options.connectTimeout, 5000),
    firstByteTimeout: resolveTime('firstByteTimeout', options.firstByteTimeout, 60_000),
    idleTimeout: resolveTime('idleTimeout', options.idleTimeout, 60_000),
    totalTimeout: resolveTime('totalTimeout', options.totalTimeout, 0),
    maxHeadBytes: resolveBound('maxHeadBytes', options.maxHeadBytes, 65_536, Number.MAX_SAFE_INTEGER),
    maxLineBytes: resolveBound('maxLineBytes', options.maxLineBytes, 8192, Number.MAX_SAFE_INTEGER),
    maxResponseSize: resolveBound('maxResponseSize', options.maxResponseSize, null),
    maxConcurrent: resolveBound('maxConcurrent', options.maxConcurrent, null),
    maxQueued: resolveBound('maxQueued', options.maxQueued, 1000),
    queueTimeout: resolveTime('queueTimeout', options.queueTimeout, 10_000),
    retries: resolveNumber('retries', options.retries, 0, 0, 100),
    retryDelay: resolveTime('retryDelay', options.retryDelay, 100),
    balance: resolveBalance(options.balance),
    maxFails: resolveNumber('maxFails', options.maxFails, 1, 0, Number.MAX_SAFE_INTEGER),
    failTimeout: resolveTime('failTimeout', options.failTimeout, 10_000),
    slowStart: resolveTime('slowStart', options.slowStart, 0),
    halfClose: options.halfClose ?? false,
    bufferSize: resolveNumber('bufferSize', options.bufferSize, defaultBlockBytes, 1, 16_777_216),
  };
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveTime(option: string, value: number | undefined, fallback: number): number {
  return resolveNumber(option, value, fallback, 0, MAX_TIMEOUT_MS);
}

/**
 * A limit that may be none: null.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function resolveBound(
  option: string,
  value: number | null | undefined,
  fallback: number | null,
  none: number = Infinity,
): number {
  const given = value === undefined ? fallback : value;
  return given === null ? none : resolveNumber(option, given, given, 0, Number.MAX_SAFE_INTEGER);
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION unless it is an integer from `least` to `most` */
export function resolveNumber(
  option: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option, value: String(value), least, most });
}

function resolveBalance(balance: Balance = 'first'): Balance {
  if (balances.includes(balance)) return balance;
  throw new LocalProtocolError('ERR_SCGI_OPTION', {
    option: 'balance',
    value: String(balance),
    accepted: balances.join(', '),
  });
}
