// Tunnels through the front, and what becomes of them when it closes.

import { once } from 'node:events';
import { expect, test } from 'vitest';
import { startBackend } from '../support/backend.js';
import { RawClient, sendRaw } from '../support/front.js';
import { within } from '../support/within.js';
import { listenWith, named } from './support.js';

const upgradeTo = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`;

/** Agrees to every upgrade and sends everything back. */
function echoing(): ReturnType<typeof startBackend> {
  return startBackend(async (connection) => {
    const { socket } = connection;
    await connection.body();
    socket.write('Status: 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n');
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
    socket.on('end', () => socket.end());
  });
}

test('an upgrade goes to the backend of its path, both ways', async () => {
  const [echo, other] = [await echoing(), await named('other')];
  const front = await listenWith({ backends: { '/socket': echo.target, '/': other.target } });
  const client = new RawClient(front);
  client.send(upgradeTo('/socket/room?x=1'));
  await client.sees('HTTP/1.1 101 Switching Protocols\r\n');
  expect(echo.connections[0]?.variables?.get('SCRIPT_NAME')).toBe('/socket');
  expect(echo.connections[0]?.variables?.get('PATH_INFO')).toBe('/room');
  expect(echo.connections[0]?.variables?.get('HTTP_UPGRADE')).toBe('echo');
  client.send('ping');
  await client.sees('\r\n\r\nping');
  client.socket.end();
  await client.closed();
});

test('an upgrade that the backend does not want is answered as any request', async () => {
  const other = await named('other');
  const front = await listenWith({ to: other.target });
  const { text } = await sendRaw(front, upgradeTo('/x'));
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).toContain('other [] [/x] []');
});

test('an upgrade that is nobody’s is a 404', async () => {
  const echo = await echoing();
  const front = await listenWith({ backends: { '/socket': echo.target } });
  const { text, by } = await sendRaw(front, upgradeTo('/elsewhere'));
  expect(text).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  expect(by).toBe('fin');
  expect(echo.connections).toHaveLength(0);
});

test('closing waits for tunnels until closeTimeout, then breaks them, and the backend hears of it', async () => {
  const echo = await echoing();
  const front = await listenWith({ to: echo.target, closeTimeout: 100 });
  const client = new RawClient(front);
  client.send(upgradeTo('/'));
  await client.sees('101 Switching');
  const closed = once(front.server, 'close');
  const begun = performance.now();
  front.server.close();
  client.send('still here');
  await client.sees('still here');
  await within('the front to close', closed);
  expect(performance.now() - begun).toBeGreaterThan(90);
  await client.closed();
  await echo.connections[0]?.closed();
});

test('closing does not wait for tunnels that have ended', async () => {
  const echo = await echoing();
  const front = await listenWith({ to: echo.target, closeTimeout: 60_000 });
  const client = new RawClient(front);
  client.send(upgradeTo('/'));
  await client.sees('101 Switching');
  client.socket.end();
  await client.closed();
  const closed = once(front.server, 'close');
  front.server.close();
  await within('the front to close', closed);
});

test('closeAllConnections ends tunnels as well', async () => {
  const echo = await echoing();
  const front = await listenWith({ to: echo.target, closeTimeout: 0 });
  const client = new RawClient(front);
  client.send(upgradeTo('/'));
  await client.sees('101 Switching');
  const closed = once(front.server, 'close');
  front.server.close();
  front.server.closeAllConnections();
  await within('the front to close', closed);
  await echo.connections[0]?.closed();
});

test('a closed front can listen again', async () => {
  const other = await named('other');
  const front = await listenWith({ to: other.target });
  await new Promise((resolve) => front.server.close(resolve));
  expect(() => front.server.close()).not.toThrow();
  await new Promise<void>((resolve) => front.server.listen(front.port, '127.0.0.1', resolve));
  expect((await sendRaw(front, 'GET / HTTP/1.0\r\n\r\n')).text).toContain('other [] [/] []');
});

test('a client that leaves while the backend thinks about an upgrade is nobody’s failure', async () => {
  const silent = await startBackend();
  const front = await listenWith({ to: silent.target });
  const client = new RawClient(front);
  client.send(upgradeTo('/'));
  const connection = await silent.connection();
  client.socket.destroy();
  await connection.closed();
  expect(front.errors).toEqual([]);
});
