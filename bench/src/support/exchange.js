// One request over a socket of its own, byte for byte: for bodies of any size in both directions, at a pace.
// Knows no protocol: the caller writes the head and gets the answer as it came.

import { connect } from 'node:net';
import { once } from 'node:events';
import { within } from './deadline.js';
import { Pace } from './pace.js';

const block = Buffer.alloc(256 * 1024, 'x');

/**
 * Sends `head` and `bodyBytes` bytes, reads until the peer closes.
 *
 * @param {object} connectTo as for `net.connect`
 * @param {string | Uint8Array} head
 * @param {{ bodyBytes?: number, readBytesPerSecond?: number, timeout?: number }} [options] `timeout` in milliseconds
 * @returns {Promise<{ start: string, bytes: number, seconds: number }>} the first and the number of all bytes of the
 *   answer, and the time from connecting to its end
 */
export function exchange(connectTo, head, { bodyBytes = 0, readBytesPerSecond = Infinity, timeout = 60_000 } = {}) {
  const socket = connect(connectTo);
  const startedAt = performance.now();
  const done = Promise.all([receive(socket, readBytesPerSecond), send(socket, head, bodyBytes)]);
  return within(timeout, `exchange of ${bodyBytes} bytes`, done)
    .then(([answer]) => ({ ...answer, seconds: (performance.now() - startedAt) / 1000 }))
    .finally(() => socket.destroy());
}

async function send(socket, head, bodyBytes) {
  socket.write(head);
  for (let left = bodyBytes; left > 0; left -= block.length) {
    const data = left < block.length ? block.subarray(0, left) : block;
    if (!socket.write(data)) await once(socket, 'drain');
  }
}

async function receive(socket, bytesPerSecond) {
  const pace = new Pace(bytesPerSecond);
  let start = '';
  let bytes = 0;
  for await (const chunk of socket) {
    if (start.length < 1000) start += chunk.toString('latin1', 0, 1000);
    bytes += chunk.length;
    const pause = pace.passed(chunk.length);
    if (pause !== undefined) await pause;
  }
  return { start, bytes };
}
