// The body of an answer between the exchange that receives it and whoever reads it: a bounded queue that its reader
// pulls from. What came before the end or a failure is taken first; a failure waits for a reader, so that an answer that
// nobody reads never brings the process down. Knows no kind of stream.

import { AbortError, LocalProtocolError } from '@scgi/core/protocol';

/** Hears that there is something to take: bytes, the end, or the failure. */
export interface BodyReader {
  onReadable(): void;
}

/** What a body is received by. */
export interface BodyOrigin {
  /** Goes on reading after `receive` returned false. */
  resume(): void;
  /** The rest is not wanted: closes the connection. */
  destroy(): void;
}

/** As much as is received ahead of the reader; one read of the socket comes on top. */
const QUEUE_BYTES = 65_536;

/** One body. */
export class ResponseBody {
  readonly #origin: BodyOrigin;
  readonly #chunks: Uint8Array[];
  #bytes: number;
  #reader: BodyReader | undefined;
  #over: boolean;
  #failure: Error | undefined;

  constructor(origin: BodyOrigin) {
    this.#origin = origin;
    this.#chunks = [];
    this.#bytes = 0;
    this.#reader = undefined;
    this.#over = false;
    this.#failure = undefined;
  }

  /** Whether somebody reads it, or has. */
  get used(): boolean {
    return this.#reader !== undefined;
  }

  /** The one reader it may have. The same one may claim it again and again. */
  claim(reader: BodyReader): boolean {
    this.#reader ??= reader;
    return this.#reader === reader;
  }

  /** The next bytes, or null: then `over` and `failure` tell whether `onReadable` will be called for more. */
  take(): Uint8Array | null {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    const full = this.#bytes >= QUEUE_BYTES;
    this.#bytes -= chunk.length;
    if (full && this.#bytes < QUEUE_BYTES && !this.#over) this.#origin.resume();
    return chunk;
  }

  /** Nothing more can be taken. */
  get over(): boolean {
    return this.#over && this.#chunks.length === 0;
  }

  /** Why it broke off; undefined for a body that is whole, and as long as something can be taken. */
  get failure(): Error | undefined {
    return this.#chunks.length === 0 ? this.#failure : undefined;
  }

  /** Returns false to ask for a pause. */
  receive(data: Uint8Array): boolean {
    this.#chunks.push(data);
    this.#bytes += data.length;
    this.#reader?.onReadable();
    return this.#bytes < QUEUE_BYTES;
  }

  end(): void {
    this.#over = true;
    this.#reader?.onReadable();
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#failure = error;
    this.#reader?.onReadable();
  }

  /** The rest is not wanted. Who reads it all the same gets an error, not an end. */
  cancel(): void {
    if (this.over) return;
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#failure ??= new AbortError('ERR_SCGI_CLIENT_GONE', { fault: 'the body was destroyed' });
    if (!this.#over) {
      this.#over = true;
      this.#origin.destroy();
    }
    this.#reader?.onReadable();
  }
}

/** A body that is over before it has begun. */
export function emptyBody(): ResponseBody {
  const body = new ResponseBody({ resume() {}, destroy() {} });
  body.end();
  return body;
}

/** Reads a body to its end. The bytes may be a view of a larger block. */
export function collectBody(body: ResponseBody): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const collector = new Collector(body, resolve, reject);
    if (body.used) reject(new LocalProtocolError('ERR_SCGI_BODY_USED'));
    else if (body.claim(collector)) collector.onReadable();
  });
}

class Collector implements BodyReader {
  readonly #body: ResponseBody;
  readonly #resolve: (bytes: Uint8Array) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Uint8Array[];

  constructor(body: ResponseBody, resolve: (bytes: Uint8Array) => void, reject: (error: Error) => void) {
    this.#body = body;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#chunks = [];
  }

  onReadable(): void {
    const body = this.#body;
    for (let chunk = body.take(); chunk !== null; chunk = body.take()) this.#chunks.push(chunk);
    if (body.failure !== undefined) this.#reject(body.failure);
    else if (body.over) this.#resolve(joinChunks(this.#chunks));
  }
}

function joinChunks(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
