// Writes the head of a request: as an HTTP client does, and as a front end that passes that request on over SCGI.
// Made by hand, so that it does not share a mistake with the encoder of the product.

import type { RequestParts } from './exchange.js';

const host = 'compat.test';

export function encodeHttpHead(method: string, parts: RequestParts, body: Uint8Array): Buffer {
  const lines = fieldsOf(parts, body).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${parts.target ?? '/'} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

/** The variables that nginx sends, in its order; repeated fields joined, as nginx does since 1.23. */
export function encodeScgiHead(method: string, parts: RequestParts, body: Uint8Array): Buffer {
  const target = parts.target ?? '/';
  const fields = fieldsOf({ ...parts, chunked: false }, body);
  const valueOf = (wanted: string): string => fields.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
  const byName = new Map<string, string>();
  for (const [name, value] of fields) {
    // nginx drops what would be taken for a name with a dash.
    if (name.includes('_')) continue;
    const variable = `HTTP_${name.toUpperCase().replaceAll('-', '_')}`;
    const first = byName.get(variable);
    const separator = variable === 'HTTP_COOKIE' ? '; ' : ', ';
    byName.set(variable, first === undefined ? value : `${first}${separator}${value}`);
  }
  const variables = [
    ['CONTENT_LENGTH', `${parts.length ?? body.length}`],
    ['REQUEST_METHOD', method],
    ['REQUEST_URI', target],
    ['QUERY_STRING', target.split('?').slice(1).join('?')],
    ['CONTENT_TYPE', valueOf('content-type')],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['REQUEST_SCHEME', 'http'],
    ['SCGI', '1'],
    ['REMOTE_ADDR', '127.0.0.1'],
    ['REMOTE_PORT', '54321'],
    ['SERVER_PORT', '80'],
    ['SERVER_NAME', host],
    ...byName,
  ];
  const payload = variables.map(([name, value]) => `${name}\0${value}\0`).join('');
  return Buffer.from(`${payload.length}:${payload},`, 'latin1');
}

function fieldsOf(parts: RequestParts, body: Uint8Array): [name: string, value: string][] {
  const fields = (parts.fields ?? []).map(([name, value]): [string, string] => [name, value]);
  const has = (wanted: string): boolean => fields.some(([name]) => name.toLowerCase() === wanted);
  if (!has('host')) fields.unshift(['Host', host]);
  if (has('content-length')) return fields;
  if (parts.chunked === true) fields.push(['Transfer-Encoding', 'chunked']);
  else if (parts.body !== undefined || parts.length !== undefined) {
    fields.push(['Content-Length', `${parts.length ?? body.length}`]);
  }
  return fields;
}
