// Reads what a program prints that speaks HTTP itself (RFC 3875 §5, "non-parsed header"): its answer cannot go out as it
// is, since behind SCGI there is no HTTP, so it is read, with Node's own parser of HTTP responses, chunks and all.

import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { ErrorDetails, ResponseHead } from '@scgi/core/protocol';
import { isFieldValue, isToken, parseContentLength, reasonPhrase, RemoteProtocolError } from '@scgi/core/protocol';
import type { OutputSettings, OutputSink, ProgramOutput } from './output.js';

/** An HTTP response. */
export class NphOutput implements ProgramOutput {
  readonly #sink: OutputSink;
  readonly #wire: Wire;
  #response: IncomingMessage | undefined;
  #over: boolean;

  constructor({ maxHeadBytes }: OutputSettings, method: string, sink: OutputSink, onWanted: () => void) {
    this.#sink = sink;
    this.#response = undefined;
    this.#over = false;
    const wire = new Wire(onWanted);
    this.#wire = wire;
    // Node's parser belongs to Node's client: that gets a connection whose other end is the program.
    const request = http.request({
      method,
      headers: { host: 'program' },
      createConnection: () => wire,
      maxHeaderSize: maxHeadBytes,
      // Old programs end their lines with LF alone.
      insecureHTTPParser: true,
    });
    request.on('response', (response) => this.#begin(response));
    request.on('upgrade', () => this.#fail(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101 })));
    request.on('error', (cause) => this.#onParseError(cause));
    request.end();
  }

  receive(chunk: Uint8Array): boolean {
    return this.#over || this.#wire.deliver(chunk);
  }

  end(): void {
    if (!this.#over) this.#wire.push(null);
  }

  /** After a pause that the sink has asked for. */
  resume: () => void = () => {};

  #begin(response: IncomingMessage): void {
    let head: ResponseHead;
    try {
      head = headOf(response);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#response = response;
    this.resume = () => response.resume();
    this.#sink.onHead(head);
    response.on('data', (chunk: Uint8Array) => {
      if (!this.#sink.onBody(chunk)) response.pause();
    });
    response.on('end', () => this.#finish());
    response.on('error', (cause) => this.#fail(new RemoteProtocolError('ERR_SCGI_RESPONSE_TRUNCATED', {}, { cause })));
  }

  #onParseError(cause: NodeJS.ErrnoException): void {
    if (this.#response === undefined) this.#fail(faultOf(this.#wire.bytesTaken, cause));
    // Behind a whole answer nobody cares what is printed; its end is on its way.
    else if (!this.#response.complete) {
      this.#fail(new RemoteProtocolError('ERR_SCGI_RESPONSE_TRUNCATED', { fault: 'its chunks are broken' }, { cause }));
    }
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.onWhole();
    this.#wire.destroy();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.onFault(error);
    this.#wire.destroy();
  }
}

/** The client's end of a connection to nowhere: what it sends is dropped, what it reads is given to it. */
class Wire extends Duplex {
  bytesTaken: number;
  readonly #onWanted: () => void;

  constructor(onWanted: () => void) {
    super();
    this.bytesTaken = 0;
    this.#onWanted = onWanted;
  }

  deliver(chunk: Uint8Array): boolean {
    this.bytesTaken += chunk.length;
    return this.push(chunk);
  }

  override _read(): void {
    this.#onWanted();
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

/** @throws {RemoteProtocolError} for what the tolerant parser lets through and no response may have */
function headOf({ statusCode: status = 0, statusMessage, rawHeaders, headers }: IncomingMessage): ResponseHead {
  if (status < 200) throw new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status });
  const reason = statusMessage || reasonPhrase(status);
  const isChunked = headers['transfer-encoding'] !== undefined;
  const fields: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    if (!isToken(name) || !isFieldValue(value)) throw malformed({ text: name.slice(0, 40) });
    // The chunks are taken apart: what says how a body is framed on its way goes no further. RFC 9112 §6.3: beside them
    // a Content-Length says nothing.
    const lowerCase = name.toLowerCase();
    if (lowerCase !== 'transfer-encoding' && !(isChunked && lowerCase === 'content-length')) fields.push(name, value);
  }
  if (!isFieldValue(reason)) throw malformed({ fault: 'its reason has a control character' });
  const contentLength = isChunked ? undefined : parseContentLength(headers['content-length'] ?? '');
  return { status, reason, fields, kind: 'document', contentLength };
}

function faultOf(bytesTaken: number, cause: NodeJS.ErrnoException): RemoteProtocolError {
  if (bytesTaken === 0) return new RemoteProtocolError('ERR_SCGI_RESPONSE_EMPTY', {}, { cause });
  if (cause.code === 'HPE_HEADER_OVERFLOW') {
    return new RemoteProtocolError('ERR_SCGI_RESPONSE_HEAD_TOO_LARGE', {}, { cause });
  }
  return malformed({ fault: 'no HTTP response' }, { cause });
}

function malformed(details: ErrorDetails, options?: ErrorOptions): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_RESPONSE_HEAD', details, options);
}
