// A bridge whose requests are not HTTP: it reads them itself, and words what the driver answers in its place.

import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import type { ScgiRequest } from '../../src/env/index.js';
import { createScgiServer } from '../../src/index.js';
import { RemoteProtocolError } from '../../src/protocol/index.js';
import type { BridgedRequest, RequestHandler, ScgiBridge } from '../../src/server/index.js';
import { exchange } from '../support/raw-client.js';

const noHttpRequest: ScgiRequest = {
  method: 'GET',
  target: '/',
  httpVersionMinor: 0,
  fields: [],
  remoteAddress: undefined,
  remotePort: undefined,
  localAddress: undefined,
  localPort: undefined,
  serverName: 'other',
  encrypted: false,
  scriptName: '',
  upgrade: undefined,
};

/** Answers the server name of the facts, or refuses a request that asks for it. */
const bridge: ScgiBridge = {
  readRequest(head) {
    if (head.variables.includes('REFUSE')) throw new RemoteProtocolError('ERR_SCGI_REQUEST_TARGET');
    return noHttpRequest;
  },
  formatError: ({ code }) => `sorry: ${code}`,
  createHandler({ connection, facts }: BridgedRequest): RequestHandler {
    return {
      responseStarted: false,
      responseEnded: false,
      bufferedBytes: 0,
      start() {
        connection.socket.write(`hello ${facts.serverName}`);
        connection.finish(true);
      },
      onBody: () => true,
      discardBody: () => true,
      onEnd() {},
      onDrain() {},
      onClose() {},
    };
  },
};

async function ask(bytes: string): Promise<string> {
  const server = createScgiServer({}, bridge);
  server.listen(0);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (await exchange(server.address(), bytes)).text;
}

const netstring = (...strings: string[]): string => {
  const payload = ['CONTENT_LENGTH', '0', 'SCGI', '1', ...strings].map((string) => `${string}\0`).join('');
  return `${payload.length}:${payload},`;
};

it('needs no variable that only HTTP has', async () => {
  expect(await ask(netstring('REQUEST_METHOD', ''))).toBe('hello other');
});

it('words the answer to a request that it refuses', async () => {
  expect(await ask(netstring('REFUSE', '1'))).toBe('sorry: ERR_SCGI_REQUEST_TARGET');
});

it('words the answer to what is no request', async () => {
  expect(await ask('0:,')).toBe('sorry: ERR_SCGI_NETSTRING_LENGTH');
});
