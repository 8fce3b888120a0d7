// What a client sees of a response, whatever wire it came over, and one parser for each wire.
// Works on the bytes received until the end of the connection. Knows nothing of sockets.

/** How the connection ended, seen from the client. `open`: it did not, within the deadline. */
export type Ending = 'fin' | 'reset' | 'open';

/** `complete`: the whole response arrived; otherwise how it broke off. */
export type Completeness = 'complete' | 'truncated' | 'reset' | 'open';

export type Field = readonly [name: string, value: string];

export interface Answer {
  /** Status lines of the 1xx responses before the final one. */
  readonly interim: readonly string[];
  /** 0 when no response head arrived. */
  readonly status: number;
  readonly reason: string;
  /** In wire order, names as sent. */
  readonly fields: readonly Field[];
  readonly body: Buffer;
  readonly trailers: readonly Field[];
  readonly ended: Completeness;
}

interface Head {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly rest: Buffer;
}

interface Payload {
  readonly body: Buffer;
  readonly trailers: readonly Field[];
  readonly whole: boolean;
}

/** Parses an HTTP/1.1 response: interim responses, Content-Length, chunked coding, or up to the end. */
export function parseHttpAnswer(bytes: Buffer, ending: Ending, method: string): Answer {
  const interim: string[] = [];
  let head = parseHead(bytes, /^HTTP\/1\.1 (\d{3}) ?(.*)$/);
  while (head !== undefined && head.status >= 100 && head.status < 200 && head.status !== 101) {
    interim.push(`${head.status} ${head.reason}`);
    head = parseHead(head.rest, /^HTTP\/1\.1 (\d{3}) ?(.*)$/);
  }
  if (head === undefined) return noAnswer(interim, ending);
  const payload = isChunked(head) && hasBody(head, method) ? dechunk(head.rest) : delimit(head, method, ending);
  return finish(interim, head, payload, ending);
}

/** Parses a CGI response as nginx does: `Status:` first, or a status line; Content-Length or up to the end. */
export function parseScgiAnswer(bytes: Buffer, ending: Ending, method: string): Answer {
  const head = parseHead(bytes, /^(?:Status:|HTTP\/1\.1) (\d{3}) ?(.*)$/);
  if (head === undefined) return noAnswer([], ending);
  return finish([], head, delimit(head, method, ending), ending);
}

function parseHead(bytes: Buffer, statusLine: RegExp): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const match = statusLine.exec(first);
  const status = match === null ? 0 : Number(match[1]);
  const reason = match === null ? `no status: ${first}` : (match[2] ?? '');
  return { status, reason, fields: lines.map(parseField), rest: bytes.subarray(end + 4) };
}

function parseField(line: string): Field {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]*/, '')];
}

function hasBody(head: Head, method: string): boolean {
  return method !== 'HEAD' && head.status !== 204 && head.status !== 304;
}

function isChunked(head: Head): boolean {
  return head.fields.some(([name, value]) => /^transfer-encoding$/i.test(name) && /chunked/i.test(value));
}

function delimit(head: Head, method: string, ending: Ending): Payload {
  // Bytes after a response that has no body are shown, so that they count as a difference.
  if (!hasBody(head, method)) return { body: head.rest, trailers: [], whole: true };
  const length = head.fields.find(([name]) => /^content-length$/i.test(name));
  if (length === undefined) return { body: head.rest, trailers: [], whole: ending === 'fin' };
  const size = Number(length[1]);
  return { body: head.rest.subarray(0, size), trailers: [], whole: head.rest.byteLength >= size };
}

function dechunk(bytes: Buffer): Payload {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (Number.isNaN(size)) return { body: Buffer.concat(chunks), trailers: [], whole: false };
    if (size === 0) return dechunkEnd(bytes, lineEnd, chunks);
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

function dechunkEnd(bytes: Buffer, lastChunk: number, chunks: readonly Buffer[]): Payload {
  const end = bytes.indexOf('\r\n\r\n', lastChunk);
  const lines = end < 0 ? [] : bytes.toString('latin1', lastChunk + 2, Math.max(end, lastChunk + 2)).split('\r\n');
  const trailers = lines.filter((line) => line !== '').map(parseField);
  return { body: Buffer.concat(chunks), trailers, whole: end >= 0 };
}

function noAnswer(interim: readonly string[], ending: Ending): Answer {
  const ended = ending === 'fin' ? 'truncated' : ending;
  return { interim, status: 0, reason: '', fields: [], body: Buffer.alloc(0), trailers: [], ended };
}

function finish(interim: readonly string[], head: Head, payload: Payload, ending: Ending): Answer {
  const broken = ending === 'fin' ? 'truncated' : ending;
  // A connection that stays open after a whole response is a fault of the server on either wire.
  const ended = payload.whole && ending !== 'open' ? 'complete' : broken;
  const { status, reason, fields } = head;
  return { interim, status, reason, fields, body: payload.body, trailers: payload.trailers, ended };
}
