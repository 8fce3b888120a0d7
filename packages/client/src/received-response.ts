// Answers as callers get them, made of a head and a body. Whatever costs something is made when it is first asked for.

import type { Duplex, Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { ResponseHead, ResponseKind } from '@scgi/core/protocol';
import type { ResponseBody } from './response-body.js';
import { collectBody } from './response-body.js';
import { ResponseStream } from './response-streams.js';
import type { RawResponse, ScgiResponse } from './response.js';
import { webStream } from './web-stream.js';

const utf8 = new TextDecoder();

/** The bytes of an answer. */
export class ReceivedBytes implements RawResponse {
  readonly #body: ResponseBody;
  #stream: Readable | undefined;

  constructor(body: ResponseBody) {
    this.#body = body;
    this.#stream = undefined;
  }

  get body(): Readable {
    return (this.#stream ??= new ResponseStream(this.#body));
  }

  /** @param toError what readers get for a failure */
  stream(toError: (failure: Error) => unknown = asItIs): ReadableStream<Uint8Array> {
    return webStream(this.#body, toError);
  }

  get bodyUsed(): boolean {
    return this.#body.used;
  }

  async text(): Promise<string> {
    return utf8.decode(await collectBody(this.#body));
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    const bytes = await collectBody(this.#body);
    // As fetch gives them: no Buffer, and nothing else in their memory.
    const own = !Buffer.isBuffer(bytes) && bytes.length === bytes.buffer.byteLength;
    return own ? bytes : new Uint8Array(bytes);
  }
}

/** A CGI response. */
export class ReceivedResponse extends ReceivedBytes implements ScgiResponse {
  readonly status: number;
  readonly reason: string;
  readonly kind: ResponseKind;
  readonly fields: readonly string[];
  readonly contentLength: number | undefined;
  readonly socket: Duplex | undefined;
  #headers: Headers | undefined;

  constructor(head: ResponseHead, body: ResponseBody, socket: Duplex | undefined) {
    super(body);
    this.status = head.status;
    this.reason = head.reason;
    this.kind = head.kind;
    this.fields = head.fields;
    this.contentLength = head.contentLength;
    this.socket = socket;
    this.#headers = undefined;
  }

  get headers(): Headers {
    return (this.#headers ??= toHeaders(this.fields));
  }

  get location(): string | undefined {
    const { fields } = this;
    for (let index = 0; index < fields.length; index += 2) {
      if (fields[index]?.toLowerCase() === 'location') return fields[index + 1];
    }
    return undefined;
  }
}

/** @throws {LocalProtocolError} ERR_SCGI_RESPONSE_FIELD, which a decoded head never has */
export function toHeaders(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index < fields.length; index += 2) {
    const [name, value] = [fields[index], fields[index + 1]];
    if (name === undefined || value === undefined) throw new LocalProtocolError('ERR_SCGI_RESPONSE_FIELD');
    headers.append(name, value);
  }
  return headers;
}

function asItIs(failure: Error): Error {
  return failure;
}
