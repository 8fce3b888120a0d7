// The socket alone: what it keeps of an answer when the connection breaks.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BackendSocket } from '../src/exchange/backend-socket.js';
import { temporaryFolder } from './support/backend.js';
import { turns, within } from './support/within.js';

interface Pair {
  readonly socket: BackendSocket;
  /** The other end, which reads nothing by itself. */
  readonly peer: Socket;
  readonly received: string[];
}

async function connectPair(tcp = false): Promise<Pair> {
  const server = createServer({ pauseOnConnect: true });
  if (tcp) server.listen(0, '127.0.0.1');
  else server.listen(join(temporaryFolder(), 'peer.sock'));
  await once(server, 'listening');
  const address = server.address();
  const received: string[] = [];
  const socket = new BackendSocket((bytes) => {
    received.push(Buffer.from(bytes).toString());
    socket.emit('received');
  });
  if (typeof address === 'string') socket.connect({ path: address });
  else socket.connect({ host: '127.0.0.1', port: address?.port ?? 0 });
  const connected = once(socket, 'connect');
  const [peer]: Socket[] = await within('the connection', once(server, 'connection'));
  await within('the connection', connected);
  if (peer === undefined) throw new Error('no connection');
  peer.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  return { socket, peer, received };
}

/** Both ways a connection can be over for its reader. */
function over(socket: BackendSocket): Promise<'end' | 'error'> {
  return within(
    'the end',
    new Promise((resolve) => {
      socket.once('end', () => resolve('end'));
      socket.once('error', () => resolve('error'));
    }),
  );
}

test('what came before a failed write is read', async () => {
  const { socket, peer, received } = await connectPair();
  // Reading waits, so that the write meets the reset first.
  socket.pauseReading();
  socket.write('unread');
  await turns(20);
  await new Promise((resolve) => peer.write('answer', resolve));
  peer.destroy();
  await turns(20);
  socket.write('more');
  await turns(20);
  expect(socket.writeError).toMatchObject({ code: 'EPIPE' });
  const ended = over(socket);
  socket.resumeReading();
  await ended;
  expect(received.join('')).toBe('answer');
});

test('a pause loses nothing of what came before a reset', async () => {
  const { socket, peer, received } = await connectPair();
  socket.write('unread');
  await turns(20);
  peer.write('first');
  await within('the first piece', once(socket, 'received'));
  socket.pauseReading();
  await new Promise((resolve) => peer.write('second', resolve));
  // Time to read ahead, as a stream does up to its high-water mark; only then the reset.
  await turns(20);
  peer.destroy();
  await turns(20);
  expect(received.join('')).toBe('first');
  expect(socket.destroyed).toBe(false);
  const ended = over(socket);
  socket.resumeReading();
  expect(await ended).toBe('error');
  expect(received.join('')).toBe('firstsecond');
});

test('writes after a failed one are dropped without an error', async () => {
  const { socket, peer } = await connectPair();
  peer.destroy();
  socket.pauseReading();
  const results: unknown[] = [];
  for (let round = 0; round < 3; round += 1) {
    socket.write('x', (error) => results.push(error ?? null));
    await turns(20);
  }
  expect(results).toEqual([null, null, null]);
  expect(socket.writeError).toMatchObject({ code: 'EPIPE' });
  expect(socket.destroyed).toBe(false);
});

test('a reset right behind the last bytes is no end', async () => {
  const { socket, peer, received } = await connectPair(true);
  const ended = over(socket);
  peer.write('half', () => peer.resetAndDestroy());
  expect(await ended).toBe('error');
  expect(received.join('')).toBe('half');
});

test('a reset right behind the last bytes is no end on a Unix socket either', async () => {
  const { socket, peer, received } = await connectPair();
  socket.write('unread');
  await turns(20);
  const ended = over(socket);
  peer.write('half', () => peer.destroy());
  expect(await ended).toBe('error');
  expect(received.join('')).toBe('half');
});

test.each([{ tcp: true }, { tcp: false }])('an end right behind the last bytes is an end: %o', async ({ tcp }) => {
  const { socket, peer, received } = await connectPair(tcp);
  const ended = over(socket);
  peer.end('whole');
  expect(await ended).toBe('end');
  expect(received.join('')).toBe('whole');
});
