// Reads one response as it arrives, over HTTP or over SCGI, and knows whether it is whole.
// Fed with bytes; knows nothing of sockets, and corrects nothing.

import { createHash } from 'node:crypto';

export type Wire = 'http' | 'scgi';
export type Field = readonly [name: string, value: string];

/** `broken`: it ended before it was whole; `open`: it had not ended when the deadline came. */
export type Ending = 'whole' | 'broken' | 'open';

export interface Head {
  readonly status: number;
  readonly reason: string;
  /** In wire order; names in lower case, since they have no case. */
  readonly fields: readonly Field[];
}

export class AnswerReader {
  readonly interim: number[] = [];
  head: Head | undefined;
  ending: Ending = 'open';
  readonly #wire: Wire;
  readonly #method: string;
  #unread: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #length = 0;
  /** What ends the body: so many bytes, its chunks, or the connection. */
  #framing: number | 'chunked' | 'connection' = 'connection';

  constructor(wire: Wire, method: string) {
    this.#wire = wire;
    this.#method = method;
  }

  get body(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  get bodyLength(): number {
    return this.#length;
  }

  receive(bytes: Buffer): void {
    let rest = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    while (this.head === undefined) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#unread = rest;
        return;
      }
      this.#takeHead(rest.toString('latin1', 0, end));
      rest = rest.subarray(end + 4);
    }
    this.#unread = Buffer.alloc(0);
    this.#takeBody(rest);
  }

  /** The connection is over. A reset is never an orderly end, except after a whole response. */
  end(how: 'fin' | 'reset'): void {
    if (this.ending !== 'open') return;
    const whole =
      this.head !== undefined &&
      how === 'fin' &&
      (this.#framing === 'connection' || (this.#wire === 'scgi' && this.#length === this.#framing));
    this.ending = whole ? 'whole' : 'broken';
  }

  #takeHead(text: string): void {
    const [first = '', ...lines] = text.split('\r\n');
    const pattern = this.#wire === 'http' ? /^HTTP\/1\.1 (\d{3}) ?(.*)$/ : /^Status: (\d{3}) ?(.*)$/;
    const [, code = '0', reason = `not a status: ${first}`] = pattern.exec(first) ?? [];
    const status = Number(code);
    if (status >= 100 && status < 200 && status !== 101) {
      this.interim.push(status);
      return;
    }
    this.head = { status, reason, fields: lines.map(parseField) };
    const valueOf = (name: string): string | undefined => this.head?.fields.find(([key]) => key === name)?.[1];
    const length = valueOf('content-length');
    if (this.#method === 'HEAD' || status === 204 || status === 304) this.#framing = 0;
    else if (this.#wire === 'http' && /chunked/i.test(valueOf('transfer-encoding') ?? '')) this.#framing = 'chunked';
    else if (length !== undefined) this.#framing = Number(length);
  }

  #takeBody(bytes: Buffer): void {
    if (this.#framing === 'chunked') this.#takeChunks(bytes);
    else if (bytes.length > 0) this.#keep(bytes);
    // SCGI ends with the connection, whatever the length says; a server that keeps it open has not ended its response.
    if (this.#wire === 'http' && typeof this.#framing === 'number' && this.#length >= this.#framing)
      this.ending = 'whole';
  }

  #takeChunks(bytes: Buffer): void {
    let at = 0;
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at);
      const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
      const end = lineEnd + 2 + size + 2;
      if (lineEnd < 0 || !(end <= bytes.length)) break;
      if (size === 0) {
        this.ending = 'whole';
        return;
      }
      this.#keep(bytes.subarray(lineEnd + 2, end - 2));
      at = end;
    }
    this.#unread = Buffer.from(bytes.subarray(at));
  }

  #keep(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }
}

/** A body for people: its text as latin1, or what tells a long one from others. */
export function describeBody(body: Buffer): string {
  return body.length <= 400 ? body.toString('latin1') : `${body.length} bytes, sha256 ${digest(body)}`;
}

export function digest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function parseField(line: string): Field {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^[ \t]+/, '')];
}
