// Which fields of a backend's answer go on to the HTTP client. The rest belongs to the hop between backend and gateway.

import type { ResponseHead } from '../protocol/index.js';

// RFC 9110 §7.6.1. Transfer-Encoding cannot occur: the decoder refuses it.
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  // What a backend tells the web server before it. A server before the gateway would obey, and send any file of its own.
  // X-Accel-Buffering alone goes on: it says nothing but that an event stream must not be held back there either.
  'x-accel-charset',
  'x-accel-expires',
  'x-accel-limit-rate',
  'x-accel-redirect',
  'x-lighttpd-send-file',
  'x-lighttpd-send-tempfile',
  'x-reproxy-url',
  'x-sendfile',
  'x-sendfile2',
]);

/** The end-to-end fields, flat, in their order and with their repetitions (Set-Cookie). */
export function endToEndFields(head: ResponseHead): string[] {
  const { fields } = head;
  const named = namedByConnection(fields);
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const lowerCase = name.toLowerCase();
    if (hopByHop.has(lowerCase) || named?.has(lowerCase)) continue;
    // RFC 9110 §8.6: a 204 has no Content-Length.
    if (head.status === 204 && lowerCase === 'content-length') continue;
    kept.push(name, fields[index + 1] ?? '');
  }
  return kept;
}

/** The first value of a field, by its name in lower case. */
export function findField(fields: readonly string[], name: string): string | undefined {
  for (let index = 0; index < fields.length; index += 2) {
    const given = fields[index];
    if (given?.length === name.length && given.toLowerCase() === name) return fields[index + 1];
  }
  return undefined;
}

function namedByConnection(fields: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index];
    if (name?.length !== 'connection'.length || name.toLowerCase() !== 'connection') continue;
    named ??= new Set();
    for (const option of (fields[index + 1] ?? '').split(',')) named.add(option.trim().toLowerCase());
  }
  // It frames the answer: dropping it would hide a truncation.
  named?.delete('content-length');
  return named;
}
