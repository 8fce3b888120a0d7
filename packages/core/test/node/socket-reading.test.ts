// The memory that request bodies lie in belongs to the application once it has them.

import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { connect, ending, head } from '../support/raw-client.js';
import { tcpServer, unixServer } from '../support/servers.js';

describe.each([
  ['TCP', tcpServer],
  ['a Unix socket', unixServer],
])('a body over %s', (_name, create) => {
  it.each([1, 1000, 70_000, 3_000_000])(
    'of %i bytes keeps its bytes although its memory is transferred',
    async (size) => {
      const body = randomBytes(size);
      const server = await create((request, response) => {
        const hash = createHash('sha256');
        let kept: Uint8Array[] = [];
        request.on('data', (chunk: Uint8Array) => {
          // Some at once, some later, while other chunks are on their way.
          kept.push(chunk);
          if (kept.length < 3) return;
          for (const one of kept) hash.update(transferred(one));
          kept = [];
        });
        request.on('end', () => {
          for (const one of kept) hash.update(transferred(one));
          response.end(hash.digest('hex'));
        });
      });
      const socket = await connect(server.address());
      const answer = ending(socket);
      socket.write(head({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: `${size}` }));
      for (let at = 0; at < size; at += 9000) socket.write(body.subarray(at, at + 9000));
      const { text } = await answer;
      expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(createHash('sha256').update(body).digest('hex'));
    },
  );

  it('keeps chunks as they were while later ones arrive', async () => {
    const body = randomBytes(1_000_000);
    const server = await create((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(createHash('sha256').update(Buffer.concat(chunks)).digest('hex')));
    });
    const socket = await connect(server.address());
    const answer = ending(socket);
    socket.write(head({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: `${body.length}` }));
    socket.write(body);
    expect((await answer).text).toMatch(new RegExp(`${createHash('sha256').update(body).digest('hex')}$`));
  });
});

/** The bytes of a chunk, after its memory has gone to somebody else. */
function transferred(chunk: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = chunk;
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError('memory that cannot be transferred');
  const moved = structuredClone(buffer, { transfer: [buffer] });
  expect(chunk.length).toBe(0);
  return new Uint8Array(moved, byteOffset, length);
}
