// An SCGI server that answers while it reads: `mockBackend` does one after the other.

import { RequestDecoder } from '@scgi/core/protocol';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Called with each connection whose head is there; gets each piece of the body, and returns false to wait for `drain`. */
export type DuplexHandler = (socket: Socket) => (chunk: Uint8Array) => boolean;

/** Starts one, for this test. Resolves with its address. The answer ends when the body does. */
export async function duplexServer(handler: DuplexHandler): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-duplex-'));
  const server = createServer((socket) => {
    const decoder = new RequestDecoder();
    let take: (chunk: Uint8Array) => boolean = () => true;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      decoder.receiveData(data);
      for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
        if (event.type === 'head') take = handler(socket);
        else if (event.type === 'end') socket.end();
        else if (!take(event.data)) {
          socket.pause();
          socket.once('drain', () => socket.resume());
        }
      }
    });
  });
  const path = join(folder, 'app.sock');
  await once(server.listen(path), 'listening');
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return `unix:${path}`;
}
