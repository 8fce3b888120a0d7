// A Request that makes itself on first need. `instanceof Request` holds, and what it has no answer to itself it gets from a
// real Request. Where the real class keeps its state in properties (Node.js 20 and 22), these are getters here, so that the
// class's own code takes a lazy one for real: `new Request(lazy)`, `fetch(lazy)`, `lazy.clone()`.

import type { RequestSource } from './request-source.js';

const NativeRequest = globalThis.Request;

/** @see requestClass for where it can be used */
export class LazyRequest {
  readonly #source: RequestSource;
  #headers: Headers | undefined;
  #native: Request | undefined;
  /** The real one holds the stream of the body; it does not if that was used before. */
  #nativeHasBody: boolean;

  constructor(source: RequestSource) {
    this.#source = source;
    this.#headers = undefined;
    this.#native = undefined;
    this.#nativeHasBody = false;
  }

  get method(): string {
    return this.#source.method;
  }

  get url(): string {
    return this.#source.url;
  }

  get headers(): Headers {
    if (this.#native !== undefined) return this.#native.headers;
    if (this.#headers === undefined) {
      this.#headers = new Headers();
      this.#source.addFields(this.#headers);
    }
    return this.#headers;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get duplex(): 'half' {
    return 'half';
  }

  get body(): Request['body'] {
    // After clone() it is one half of what it was.
    return this.#native !== undefined && this.#nativeHasBody ? this.#native.body : (this.#source.body?.stream ?? null);
  }

  get bodyUsed(): boolean {
    if (this.#native !== undefined && this.#nativeHasBody) return this.#native.bodyUsed;
    return this.#source.body?.isUsed ?? false;
  }

  text(): Promise<string> {
    return this.#isUntouched() ? readText(this.#source) : native(this).text();
  }

  json(): Promise<unknown> {
    return this.#isUntouched() ? readText(this.#source).then(JSON.parse) : native(this).json();
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#isUntouched() ? readBytes(this.#source).then(bufferOf) : native(this).arrayBuffer();
  }

  bytes(): Promise<Uint8Array> {
    return this.arrayBuffer().then((buffer) => new Uint8Array(buffer));
  }

  /** Nobody has taken the body or a stream of it: it can be read without one. */
  #isUntouched(): boolean {
    return this.#native === undefined && !(this.#source.body?.isTouched ?? false);
  }

  static sourceOf(request: object): RequestSource | undefined {
    return #source in request ? request.#source : undefined;
  }

  static materialize(request: LazyRequest): Request {
    if (request.#native !== undefined) return request.#native;
    const source = request.#source;
    const { body } = source;
    const isUsed = body?.isUnusable ?? false;
    const stream = body === null ? null : isUsed ? new ReadableStream<Uint8Array>() : body.stream;
    const made = new NativeRequest(source.url, { ...requestInit(source, stream), headers: request.headers });
    // A used body is what it must be: the class refuses to read it again.
    if (isUsed) void made.body?.cancel();
    request.#nativeHasBody = !isUsed;
    return (request.#native = made);
  }
}

Object.setPrototypeOf(LazyRequest.prototype, NativeRequest.prototype);
for (const name of [
  'method',
  'url',
  'headers',
  'signal',
  'duplex',
  'body',
  'bodyUsed',
  'text',
  'json',
  'arrayBuffer',
]) {
  // As in the class itself.
  Object.defineProperty(LazyRequest.prototype, name, { enumerable: true });
}
for (const symbol of Object.getOwnPropertySymbols(new NativeRequest('http://localhost'))) {
  Object.defineProperty(LazyRequest.prototype, symbol, {
    get(this: LazyRequest): unknown {
      return Reflect.get(native(this), symbol);
    },
    set(this: LazyRequest, value: unknown) {
      Reflect.set(native(this), symbol, value);
    },
  });
}

/** What a real Request is made of, but for the header fields. */
export function requestInit(source: RequestSource, body: ReadableStream<Uint8Array> | null): RequestInit {
  return { method: source.method, signal: source.signal, body, duplex: 'half' };
}

function native(request: LazyRequest): Request {
  return LazyRequest.materialize(request);
}

const utf8 = new TextDecoder();
const nothing = new Uint8Array(0);

function readBytes({ body }: RequestSource): Promise<Uint8Array> {
  return body === null ? Promise.resolve(nothing) : body.readAll();
}

function readText(source: RequestSource): Promise<string> {
  return readBytes(source).then((bytes) => utf8.decode(bytes));
}

/** Memory of its own: what was read shares the socket's. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}
