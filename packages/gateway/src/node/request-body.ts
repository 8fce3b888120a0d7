// The way of a request body from the client to a call, in one of four kinds: none, streamed as it comes, kept until its
// length is known, or bytes that an earlier middleware has read. Owns the pace of the client's upload.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Call } from '@scgi/client/exchange';
import { Spool } from '@scgi/client/exchange';
import { LocalProtocolError, parseContentLength, type ResponseHead, ScgiError } from '@scgi/core/protocol';

/** Where bodies of unknown length are kept. `Infinity` for no limit. */
export interface BodySettings {
  readonly maxHeldBody: number;
  readonly maxSpooledBody: number;
  readonly spoolFolder: string;
}

/** Who wants the body. */
export interface BodyOwner {
  /** The length is known: time to call the backend. */
  onLength(length: number): void;
  /** It has to be read before its length is known. */
  onBodyWanted(): void;
  /** There will be no body. */
  onBodyError(error: ScgiError): void;
}

/** The body of one request. */
export class RequestBody {
  readonly #request: IncomingMessage;
  readonly #owner: BodyOwner;
  #source: Readable | undefined;
  #bytes: Uint8Array | undefined;
  #spool: Spool | undefined;
  #call: Call<ResponseHead> | undefined;
  #over: boolean;

  constructor(request: IncomingMessage, owner: BodyOwner) {
    this.#request = request;
    this.#owner = owner;
    this.#source = undefined;
    this.#bytes = undefined;
    this.#spool = undefined;
    this.#call = undefined;
    this.#over = false;
  }

  /** Finds out the length; `onLength` or `onBodyError` is called, perhaps before this returns. */
  measure(settings: BodySettings): void {
    const request = this.#request;
    const { headers } = request;
    // HTTP/2 frames its bodies: without Content-Length, only the end tells how long one is.
    const framed = headers['transfer-encoding'] !== undefined || request.httpVersionMajor >= 2;
    const announced = headers['transfer-encoding'] === undefined ? headers['content-length'] : undefined;
    const length = announced === undefined && framed ? undefined : (parseContentLength(announced ?? '0') ?? 0);
    if (length === 0) {
      this.#owner.onLength(0);
    } else if (request.readableDidRead) {
      this.#takeUsedBody();
    } else if (length === undefined) {
      this.#keep(settings);
    } else {
      this.#source = request;
      this.#owner.onLength(length);
    }
  }

  /** A body parser came first. What it has made of the bytes is not the bytes, unless it has made a Buffer of them. */
  #takeUsedBody(): void {
    const bytes = bytesRead(this.#request);
    if (bytes === undefined) {
      const remedy = 'mount scgi() before body parsers, or let express.raw() read this body';
      this.#owner.onBodyError(new LocalProtocolError('ERR_SCGI_BODY_USED', { remedy }));
      return;
    }
    this.#bytes = bytes;
    this.#owner.onLength(bytes.length);
  }

  /** SCGI states the length before the body: one of unknown length has to be here before anything can be sent. */
  #keep(settings: BodySettings): void {
    const spool = new Spool(settings);
    this.#spool = spool;
    spool.on('finish', () => {
      if (this.#over) return;
      this.#source = spool.createReadable();
      this.#owner.onLength(spool.length);
    });
    spool.on('error', (error) => {
      this.#request.unpipe(spool);
      if (this.#over) return;
      this.#over = true;
      if (!(error instanceof ScgiError)) throw error;
      this.#owner.onBodyError(error);
    });
    this.#request.pipe(spool);
    this.#owner.onBodyWanted();
  }

  /** Feeds the call, which is connected. */
  sendTo(call: Call<ResponseHead>): void {
    if (this.#bytes !== undefined) call.write(this.#bytes);
    const source = this.#source;
    if (source === undefined || this.#over) return;
    this.#call = call;
    if (source !== this.#request) source.on('error', (error) => this.#fail(error));
    source.on('data', (chunk: Uint8Array) => {
      if (this.#call?.write(chunk) === false) source.pause();
    });
  }

  resume(): void {
    this.#source?.resume();
  }

  /** The rest is not wanted, though the client may still send it. */
  stop(): void {
    this.#over = true;
    this.#call = undefined;
    if (this.#spool !== undefined) {
      this.#request.unpipe(this.#spool);
      this.#spool.destroy();
      if (this.#source !== this.#request) this.#source?.destroy();
    }
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    if (!(error instanceof ScgiError)) throw error;
    this.#owner.onBodyError(error);
  }
}

/** Of `express.raw()`, or as several platforms leave it beside what they have parsed. */
function bytesRead(request: IncomingMessage): Uint8Array | undefined {
  const candidates: unknown[] = [Reflect.get(request, 'rawBody'), Reflect.get(request, 'body')];
  return candidates.find((candidate) => candidate instanceof Uint8Array);
}
