// Which fields of a backend's answer go on to the HTTP client. The rest belongs to the hop between backend and gateway.

import type { ResponseHead } from '@scgi/core/protocol';

// RFC 9110 §7.6.1. Transfer-Encoding cannot occur: the decoder refuses it.
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
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

function namedByConnection(fields: readonly string[]): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]?.toLowerCase() !== 'connection') continue;
    named ??= new Set();
    for (const option of (fields[index + 1] ?? '').split(',')) named.add(option.trim().toLowerCase());
  }
  // It frames the answer: dropping it would hide a truncation.
  named?.delete('content-length');
  return named;
}
