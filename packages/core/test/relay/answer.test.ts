// An answer passed on by our own server, whose front end keeps rules of its own about the rest of the request.

import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { RemoteProtocolError } from '../../src/protocol/index.js';
import type { ResponseHead } from '../../src/protocol/index.js';
import { Answer } from '../../src/relay/index.js';
import { connect, ending, head } from '../support/raw-client.js';
import { tcpServer, unixServer } from '../support/servers.js';

const servers = { 'a Unix socket': unixServer, TCP: tcpServer };

/** A head whose body ends where the connection does. */
const openHead: ResponseHead = {
  status: 200,
  reason: 'OK',
  fields: ['Content-Type', 'text/plain'],
  kind: 'document',
  contentLength: undefined,
};
const failure = new RemoteProtocolError('ERR_SCGI_RESPONSE_EMPTY');

function answering(act: (answer: Answer, request: IncomingMessage) => unknown): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    void act(new Answer(request, response, 60_000, 30_000), request);
  };
}

describe.each(Object.entries(servers))('an answer over SCGI on %s', (name, startServer) => {
  test('ends with the request half sent: some front ends send no more once they have the head', async () => {
    const server = await startServer(
      answering(async (answer, request) => {
        await once(request, 'data');
        request.pause();
        answer.begin(openHead);
        answer.write(Buffer.from('early'));
        answer.end();
      }),
    );
    const client = await connect(server.address());
    const answered = ending(client);
    client.write(head({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '10' }) + 'half ', 'latin1');
    expect(await answered).toMatchObject({ by: 'fin', text: expect.stringMatching(/\r\n\r\nearly$/) });
  });

  test('breaks off behind its head when it fails there', async () => {
    let fail = (): void => {};
    const server = await startServer(
      answering((answer) => {
        answer.begin(openHead);
        answer.write(Buffer.from('begun'));
        fail = () => answer.fail(failure);
      }),
    );
    const client = await connect(server.address());
    const answered = ending(client);
    client.write(head({ REMOTE_ADDR: '192.0.2.1' }), 'latin1');
    await once(client, 'data');
    fail();
    // A Unix socket cannot be reset.
    const by = name === 'TCP' ? 'reset' : 'fin';
    expect(await answered).toMatchObject({ by, text: expect.stringMatching(/^Status: 200 OK\r\n/) });
  });

  test('that fails before its head is a status, with the request half sent', async () => {
    const server = await startServer(answering((answer) => answer.fail(failure)));
    const client = await connect(server.address());
    const answered = ending(client);
    client.write(head({ REQUEST_METHOD: 'POST', CONTENT_LENGTH: '10' }), 'latin1');
    expect((await answered).text).toMatch(/^Status: 502 Bad Gateway\r\n/);
  });
});
