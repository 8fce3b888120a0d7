// A .torrent by hand: bencode, and the file that it describes.

import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What bencode knows. Keys of dictionaries must be in order. */
type Bencodable = number | string | Buffer | { readonly [key: string]: Bencodable };

export interface TorrentFile {
  readonly name: string;
  /** The .torrent. */
  readonly bytes: Buffer;
  /** As rTorrent writes it. */
  readonly hash: string;
}

const pieceBytes = 16_384;

/** Puts a file of random bytes into a folder and describes it. Its tracker is a port of this machine where nobody listens. */
export function createTorrent(folder: string, name: string, size: number): TorrentFile {
  const content = randomBytes(size);
  writeFileSync(join(folder, name), content);
  const hashes: Buffer[] = [];
  for (let start = 0; start < size; start += pieceBytes) hashes.push(sha1(content.subarray(start, start + pieceBytes)));
  const info = { length: size, name, 'piece length': pieceBytes, pieces: Buffer.concat(hashes) };
  return {
    name,
    bytes: encode({ announce: 'http://127.0.0.1:9/announce', info }),
    hash: sha1(encode(info)).toString('hex').toUpperCase(),
  };
}

/** BEP 3. */
function encode(value: Bencodable): Buffer {
  if (typeof value === 'number') return Buffer.from(`i${value}e`);
  if (typeof value === 'string') return encode(Buffer.from(value));
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  const entries = Object.entries(value).flatMap(([key, item]) => [encode(key), encode(item)]);
  return Buffer.concat([Buffer.from('d'), ...entries, Buffer.from('e')]);
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}
