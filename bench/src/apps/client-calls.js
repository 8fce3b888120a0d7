// Calls an SCGI application over and over, in one of several ways, and says how long it took: `{ way, amount }` in,
// `{ seconds }` out.

import { once } from 'node:events';
import { connect } from 'node:net';
import { ScgiClient } from '@scgi/client';
import { encodeRequest } from '@scgi/core/protocol';

const { BACKEND: target } = process.env;
const connectTo = target.startsWith('unix:') ? { path: target.slice(5) } : addressOf(target);
const client = new ScgiClient(target);
const head = encodeRequest(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/hello', 'SERVER_PROTOCOL', 'HTTP/1.1'], 0);

function addressOf(text) {
  const [host, port] = text.split(':');
  return { host, port: Number(port) };
}

const ways = {
  client: async () => {
    const response = await client.request({ path: '/hello' });
    if (!(await response.text()).startsWith('Hello')) throw new Error('another answer');
  },
  // As Flood does it: strings, our side ended at once, everything collected until the other side ends.
  strings: async () => {
    const pairs = { CONTENT_LENGTH: '0', SCGI: '1', REQUEST_METHOD: 'GET', REQUEST_URI: '/hello' };
    const text = Object.entries({ ...pairs, SERVER_PROTOCOL: 'HTTP/1.1' })
      .map(([name, value]) => `${name}\x00${value}\x00`)
      .join('');
    const socket = connect(connectTo);
    let received = '';
    socket.setEncoding('utf8').on('data', (chunk) => (received += chunk));
    socket.end(`${text.length}:${text},`);
    await once(socket, 'close');
    if (!received.endsWith('Hello world\n')) throw new Error('another answer');
  },
  // What a socket costs with nothing around it.
  socket: async () => {
    const socket = connect(connectTo);
    let bytes = 0;
    socket.on('data', (chunk) => (bytes += chunk.length));
    socket.write(head);
    await once(socket, 'close');
    if (bytes === 0) throw new Error('no answer');
  },
};

process.on('message', async ({ way, amount, concurrency }) => {
  const startedAt = performance.now();
  let left = amount;
  const call = ways[way];
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  process.send({ seconds: (performance.now() - startedAt) / 1000 });
});
process.once('disconnect', () => process.exit());
process.send(0);
