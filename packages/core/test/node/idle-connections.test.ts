// What becomes of connections without a request when the server stops. Behind a front end the request comes with the
// connection: where one has just been accepted, its bytes may be here and not yet read.

import { once } from 'node:events';
import { expect, it } from 'vitest';
import { connect, ending, head, within } from '../support/raw-client.js';
import { tcpServer } from '../support/servers.js';

it.for(['close', 'closeIdleConnections'] as const)(
  '%s leaves a connection that has just come in alone',
  async (method) => {
    const server = await tcpServer((_, response) => void response.end('answered'));
    const accepted = once(server, 'connection');
    const client = await connect(server.address());
    const end = ending(client);
    await within('the connection', accepted);
    server[method]();
    client.write(head());
    expect((await end).text).toMatch(/\r\n\r\nanswered$/);
  },
);

it('close ends a connection on which nothing comes', async () => {
  const server = await tcpServer(() => expect.unreachable());
  const accepted = once(server, 'connection');
  const client = await connect(server.address());
  const end = ending(client);
  await within('the connection', accepted);
  server.close();
  await within('the close', once(server, 'close'));
  expect(await end).toEqual({ text: '', by: 'fin' });
});
