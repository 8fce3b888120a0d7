// The recorded requests in fixtures/captures: what a client sent to a real front end, and the SCGI that came out.
// Reads HTTP/1 just well enough for what was recorded; knows nothing of the code under test.

import { readFileSync } from 'node:fs';

/** An HTTP request as the client sent it. Strings are latin1. */
export interface SentRequest {
  readonly method: string;
  readonly target: string;
  readonly httpVersion: string;
  /** Names as sent and values without blanks around them, in turn. */
  readonly fields: readonly string[];
  /** Without chunk framing. */
  readonly body: Buffer;
  /** What the body's length is or, where the recording was cut, was. */
  readonly bodyLength: number;
}

export interface Capture {
  /** e.g. `nginx/get-root` */
  readonly name: string;
  readonly frontEnd: 'nginx' | 'apache' | 'lighttpd';
  readonly version: string;
  /** The part of the configuration that matters, in words. */
  readonly config: string;
  readonly transport: 'tcp' | 'unix';
  readonly sent: SentRequest;
  /** What the front end sent to the SCGI server: netstring and body. */
  readonly bytes: Buffer;
  /** Whether both bodies were cut after 64 octets. */
  readonly cut: boolean;
}

interface ManifestEntry extends Omit<Capture, 'name' | 'sent' | 'bytes' | 'cut'> {
  readonly file: string;
  readonly request: string;
  readonly cut?: boolean;
}

const folder = new URL('../fixtures/captures/', import.meta.url);

/** All recordings, in the order of the manifest. */
export function loadCaptures(): Capture[] {
  const manifest: ManifestEntry[] = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8'));
  return manifest.map(({ file, request, cut = false, frontEnd, version, config, transport }) => ({
    name: file.replace(/(\.head)?\.scgi$/, ''),
    frontEnd,
    version,
    config,
    transport,
    sent: parseRequest(request),
    bytes: readFileSync(new URL(file, folder)),
    cut,
  }));
}

function parseRequest(text: string): SentRequest {
  const headEnd = text.indexOf('\r\n\r\n');
  const [requestLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const [method = '', target = '', version = ''] = requestLine.split(' ');
  const fields = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
  });
  const framed = text.slice(headEnd + 4);
  const body = Buffer.from(isChunked(fields) ? joinChunks(framed) : framed, 'latin1');
  const bodyLength = Number(fieldValue(fields, 'content-length') ?? body.length);
  return { method, target, httpVersion: version.replace('HTTP/', ''), fields, body, bodyLength };
}

function fieldValue(fields: readonly string[], name: string): string | undefined {
  const index = fields.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === name);
  return index === -1 ? undefined : fields[index + 1];
}

function isChunked(fields: readonly string[]): boolean {
  return fieldValue(fields, 'transfer-encoding') === 'chunked';
}

function joinChunks(framed: string): string {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = framed.indexOf('\r\n', at);
    const size = Number.parseInt(framed.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += framed.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
