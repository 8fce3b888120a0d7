// Reads what a program prints that speaks HTTP itself (RFC 3875 §5, "non-parsed header"): its answer cannot go out as it
// is, since behind SCGI there is no HTTP, so it is read, with Node's own parser of HTTP responses, chunks and all.

import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { parseContentLength, reasonPhrase, RemoteProtocolError } from '@scgi/core/protocol';
import type { OutputSettings, OutputSink, ProgramOutput } from './output.js';

/** An HTTP response. */
export class NphOutput implements ProgramOutput {
  readonly #sink: OutputSink;
  readonly #wire: Wire;
  #over: boolean;

  constructor({ maxHeadBytes }: OutputSettings, method: string, sink: OutputSink, onWanted: () => void) {
    this.#sink = sink;
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
    request.on('error', (cause) => this.#fail(faultOf(wire.bytesTaken, cause)));
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
    const { statusCode: status = 0, statusMessage, rawHeaders } = response;
    this.resume = () => response.resume();
    this.#sink.onHead({
      status,
      reason: statusMessage || reasonPhrase(status),
      fields: withoutFraming(rawHeaders),
      kind: 'document',
      contentLength: parseContentLength(response.headers['content-length'] ?? ''),
    });
    response.on('data', (chunk: Uint8Array) => {
      if (!this.#sink.onBody(chunk)) response.pause();
    });
    response.on('end', () => this.#finish());
    response.on('error', (cause) => this.#fail(new RemoteProtocolError('ERR_SCGI_RESPONSE_TRUNCATED', {}, { cause })));
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink.onWhole();
    this.#wire.destroy();
  }

  #fail(error: RemoteProtocolError): void {
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

/** The chunks are taken apart: what says how a body is framed on its way goes no further. */
function withoutFraming(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const [name = '', value = ''] = fields.slice(index, index + 2);
    if (name.toLowerCase() !== 'transfer-encoding') kept.push(name, value);
  }
  return kept;
}

function faultOf(bytesTaken: number, cause: Error): RemoteProtocolError {
  if (bytesTaken === 0) return new RemoteProtocolError('ERR_SCGI_RESPONSE_EMPTY', {}, { cause });
  return new RemoteProtocolError('ERR_SCGI_RESPONSE_HEAD', { fault: 'no HTTP response' }, { cause });
}
