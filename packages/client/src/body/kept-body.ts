// A body of unknown length on its way into a spool, because SCGI states the length first. Within the deadlines that the
// whole request has.

import type { Readable } from 'node:stream';
import { BackendError, RemoteProtocolError } from '@scgi/core/protocol';
import { Spool, type SpoolOptions } from '../exchange/index.js';
import { BodyPump, type BodySink } from './body-pump.js';

/** What bounds the keeping. Times in milliseconds, 0 for none. */
export interface KeepLimits {
  readonly spool: SpoolOptions;
  /** Without a piece of the body. */
  readonly idleTimeout: number;
  readonly totalTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/** A body whose length is known now. The spool is freed when the source closes. */
export interface KeptBody {
  readonly source: Readable;
  readonly length: number;
}

/**
 * Reads the source to its end.
 * @throws {ScgiError} ERR_SCGI_LENGTH_REQUIRED, ERR_SCGI_SPOOL, ERR_SCGI_BODY_SOURCE, ERR_SCGI_IDLE_TIMEOUT,
 * ERR_SCGI_BACKEND_TIMEOUT; or the signal's reason. The source is destroyed then
 */
export function keepBody(source: Readable, limits: KeepLimits): Promise<KeptBody> {
  return new Promise((resolve, reject) => {
    new Keeper(source, limits, resolve, reject).start();
  });
}

class Keeper implements BodySink {
  readonly #limits: KeepLimits;
  readonly #resolve: (body: KeptBody) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #spool: Spool;
  readonly #pump: BodyPump;
  readonly #onAbort: () => void;
  #idle: NodeJS.Timeout | undefined;
  #total: NodeJS.Timeout | undefined;

  constructor(
    source: Readable,
    limits: KeepLimits,
    resolve: (body: KeptBody) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#spool = new Spool(limits.spool);
    this.#pump = new BodyPump(source, undefined, this);
    this.#onAbort = () => this.#fail(limits.signal?.reason);
    this.#idle = undefined;
    this.#total = undefined;
  }

  start(): void {
    const { idleTimeout, totalTimeout, signal } = this.#limits;
    if (idleTimeout > 0) this.#idle = setTimeout(() => this.#failIdle(), idleTimeout);
    if (totalTimeout > 0) this.#total = setTimeout(() => this.#failTotal(), totalTimeout);
    signal?.addEventListener('abort', this.#onAbort);
    const spool = this.#spool;
    spool.on('drain', () => this.#pump.resume());
    spool.on('error', (error) => this.#fail(error));
    spool.on('finish', () => this.#finish());
    this.#pump.start();
  }

  takeBody(chunk: Uint8Array): boolean {
    this.#idle?.refresh();
    return this.#spool.write(chunk);
  }

  onBodyEnd(): void {
    this.#spool.end();
  }

  onBodyError(error: Error): void {
    this.#fail(error);
  }

  #finish(): void {
    this.#release();
    const spool = this.#spool;
    const source = spool.createReadable();
    source.on('close', () => spool.destroy());
    this.#resolve({ source, length: spool.length });
  }

  #failIdle(): void {
    const { idleTimeout } = this.#limits;
    const fault = 'the request body stands still';
    this.#fail(new RemoteProtocolError('ERR_SCGI_IDLE_TIMEOUT', { idleTimeout, fault }));
  }

  #failTotal(): void {
    const { totalTimeout } = this.#limits;
    this.#fail(new BackendError('ERR_SCGI_BACKEND_TIMEOUT', { awaited: 'request body', totalTimeout }));
  }

  #fail(reason: unknown): void {
    this.#release();
    this.#pump.stop();
    this.#spool.destroy();
    this.#reject(reason);
  }

  #release(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#total);
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
  }
}
