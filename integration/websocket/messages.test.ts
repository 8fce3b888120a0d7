// Messages over WebSocket through a real nginx: both ends are the package ws, as it is; between them is SCGI.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { test, transports } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { stepMs } from './support/peer.js';
import { echoAll, setUpScene } from './support/scene.js';

const handshake = [
  'GET / HTTP/1.1',
  'Host: example.test',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

describeWith('nginx', 'WebSocket messages', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([0, 5, 125, 126, 200, 65_535, 65_536, 70_000, 1_000_000])(
      'of %i octets come back',
      async (size, { stage }) => {
        const { webSockets, meet } = await setUpScene(stage, { over });
        echoAll(webSockets);
        const { client } = await meet();
        const bytes = randomBytes(size);
        expect(bytes.equals(Buffer.from(await client.ask(bytes)))).toBe(true);
        const text = 'grüß '.repeat(size / 5);
        expect(await client.ask(text)).toBe(text);
      },
    );

    test('in fragments arrive as one', async ({ stage }) => {
      const { webSockets, meet } = await setUpScene(stage, { over });
      echoAll(webSockets);
      const { client } = await meet();
      client.socket.send('one ', { fin: false });
      client.socket.send('x'.repeat(70_000), { fin: false });
      client.socket.ping('between');
      client.socket.send(' three', { fin: true });
      expect(await client.next()).toBe(`one ${'x'.repeat(70_000)} three`);
    });

    test('come in the order they were sent, in both directions at once', async ({ stage }) => {
      const { meet } = await setUpScene(stage, { over });
      const { client, server } = await meet();
      const numbers = Array.from({ length: 2_000 }, (_, index) => `${index}`);
      for (const number of numbers) {
        client.socket.send(number);
        server.socket.send(number);
      }
      for (const end of [client, server]) {
        const seen: unknown[] = [];
        while (seen.length < numbers.length) seen.push(await end.next());
        expect(seen).toEqual(numbers);
      }
    });

    test('can be compressed', async ({ stage }) => {
      const perMessageDeflate = { threshold: 0 };
      const { webSockets, meet } = await setUpScene(stage, { over, webSocket: { perMessageDeflate } });
      echoAll(webSockets);
      const { client, server } = await meet({ perMessageDeflate });
      expect([client.socket.extensions, server.socket.extensions]).toEqual([
        'permessage-deflate',
        'permessage-deflate',
      ]);
      for (const text of ['short', 'the same again '.repeat(20_000), 'short'])
        expect(await client.ask(text)).toBe(text);
    });

    test('of the server that come right behind the 101 are not lost', async ({ stage }) => {
      const { webSockets, dial } = await setUpScene(stage, { over });
      webSockets.on('connection', (socket) => {
        socket.send('first');
        socket.send('second');
      });
      const client = await dial().opened();
      expect([await client.next(), await client.next()]).toEqual(['first', 'second']);
    });

    test('of a client that does not wait for the 101 are not lost', async ({ stage }) => {
      const { webSockets, nginx } = await setUpScene(stage, { over });
      echoAll(webSockets);
      const socket = connect(nginx.port, '127.0.0.1');
      stage.add(() => socket.destroy());
      let received = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
      // A text frame, masked with zeros.
      socket.write(Buffer.concat([Buffer.from(handshake), Buffer.from('\x81\x85\0\0\0\0early', 'latin1')]));
      await until(
        () => received.includes('\r\n\r\n\x81\x05early', 0, 'latin1'),
        stepMs,
        () => `an echo: ${received}`,
      );
      expect(received.toString('latin1')).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    });

    test('are pinged and ponged from both ends', async ({ stage }) => {
      const { meet } = await setUpScene(stage, { over });
      const { client, server } = await meet();
      for (const end of [client, server]) {
        const pong = new Promise<string>((resolve) => end.socket.once('pong', (data) => resolve(data.toString())));
        end.socket.ping('are you there?');
        expect(await within(pong, stepMs, 'a pong')).toBe('are you there?');
      }
    });
  });

  test('pass an nginx that buffers neither requests nor responses', async ({ stage }) => {
    const front = { buffering: false, requestBuffering: false };
    const { webSockets, meet } = await setUpScene(stage, { front });
    echoAll(webSockets);
    const { client } = await meet();
    const bytes = randomBytes(1_000_000);
    expect(bytes.equals(Buffer.from(await client.ask(bytes)))).toBe(true);
  });
});
