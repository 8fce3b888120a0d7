// What every application answers with, whatever its kind, so that the answers can be compared. Holds no behaviour.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const hello = 'hello\n';
/** As bytes: with a text Node encodes the head as the text, in UTF-8, and Latin-1 in a field suffers. */
export const helloBytes = Buffer.from(hello);
export const umlauts = 'Grüße, ☃\n';
/** Every value that a byte can have. */
export const allBytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
/** Five megabytes that are nowhere the same, for responses and requests. */
export const large = Buffer.alloc(5_000_000, Buffer.from(Array.from({ length: 9973 }, (_, at) => (at * 31) % 251)));
export const cookies = ['a=1; Path=/', 'b=2; HttpOnly', 'c=3; Expires=Wed, 21 Oct 2099 07:28:00 GMT'] as const;
/** 3 KB of fields: more than one segment of a head, less than nginx's scgi_buffer_size of 4 KB. */
export const manyFields = Object.fromEntries(
  Array.from({ length: 30 }, (_, at) => [`x-many-${at}`, `${at} `.padEnd(90, 'x')]),
);
/** 7 KB of fields, no line of them as long as Apache's limit of 8 KB. */
export const hugeFields = Object.fromEntries(
  Array.from({ length: 7 }, (_, at) => [`x-huge-${at}`, `${at} `.padEnd(1_000, 'x')]),
);
export const failure = 'failed on purpose';

/** A text file of 100 KB in a folder that somebody else removes. */
export function sampleFile(folder: string): { readonly folder: string; readonly name: string; readonly path: string } {
  const name = 'sample.txt';
  const path = join(folder, name);
  writeFileSync(path, large.subarray(0, 100_000));
  return { folder, name, path };
}

/** The chunks of a large body, as an application would produce them. */
export function* piecesOf(body: Uint8Array, size = 65_536): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}
