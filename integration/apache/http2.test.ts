// HTTP/2 between the client and Apache, as browsers speak it: many streams in one connection, each an SCGI connection.

import { connect, type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { expect } from 'vitest';
import { createCertificate } from '../nginx/support/certificate.js';
import { Witness } from '../nginx/support/witness.js';
import type { ScgiListener } from '@scgi/core';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { mirror, readMirrored } from './support/mirror.js';
import { test, transports, type ApacheStage, type Transport } from './support/stage.js';

describeWith(['apache', 'openssl'], 'HTTP/2 through Apache', () => {
  test.for(transports)('shows as HTTP/1.1, with all cookies as one, over %s', async (over, { stage }) => {
    const session = await start(stage, mirror, over);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/h2?q=%2F',
      cookie: ['a=1', 'b=2'],
      'content-length': 4,
    });
    stream.end('body');
    const seen = readMirrored(await answerOf(stream));
    expect(seen).toMatchObject({ method: 'POST', url: '/h2?q=%2F', httpVersion: '1.1', body: 'body', encrypted: true });
    expect(seen.env['SERVER_PROTOCOL']).toBe('HTTP/2.0');
    expect(seen.headers['cookie']).toBe('a=1; b=2');
  });

  test('carries 100 requests at once', async ({ stage }) => {
    const session = await start(stage, (request, response) => void response.end(`you are ${request.url}`));
    const paths = Array.from({ length: 100 }, (_, index) => `/${index}`);
    const answers = await Promise.all(paths.map((path) => answerOf(get(session, { ':path': path }))));
    expect(answers.map(({ text }) => text)).toEqual(paths.map((path) => `you are ${path}`));
  });

  test('has uploads refused that state no length', async ({ stage }) => {
    const session = await start(stage, () => expect.unreachable());
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.end('body');
    expect((await answerOf(stream)).status).toBe(411);
  });

  test('carries 3 MB in both directions', async ({ stage }) => {
    const session = await start(stage, async (request, response) => {
      response.end(Buffer.concat(await request.toArray()));
    });
    const body = Buffer.alloc(3_000_000, 'x');
    const stream = session.request({ ':method': 'POST', ':path': '/', 'content-length': body.length });
    stream.end(body);
    const { status, text } = await answerOf(stream);
    expect({ status, length: text.length }).toEqual({ status: 200, length: body.length });
  });

  test('carries events one by one, and their end when the client leaves the stream', async ({ stage }) => {
    let witness: Witness | undefined;
    const session = await start(stage, (request, response) => {
      witness = new Witness(request, response);
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    });
    const stream = get(session, { ':path': '/events' });
    await within(once(stream, 'response'), 5_000, 'the head');
    for (const text of ['data: one\n\n', 'data: two\n\n']) {
      const arrival = once(stream, 'data');
      witness?.response.write(text);
      expect(String((await within(arrival, 5_000, 'the event'))[0])).toBe(text);
    }
    stream.close();
    const gone = (): boolean => {
      if (witness?.response.destroyed === false) witness.response.write(': still there?\n\n');
      return witness?.response.destroyed === true;
    };
    await until(gone, 1_000, 'the application knowing that the client has left');
    expect(witness?.events).not.toContain('response finish');
  });
});

async function start(
  stage: ApacheStage,
  listener: ScgiListener,
  over: Transport = 'unix',
): Promise<ClientHttp2Session> {
  const { address } = await stage.serve(listener, { over });
  const { tlsOrigin } = await stage.apache({
    to: address,
    tls: createCertificate(stage.folder()),
    modules: ['http2'],
    serverDirectives: ['Protocols h2 http/1.1'],
  });
  const session = connect(tlsOrigin, { rejectUnauthorized: false });
  stage.add(() => session.destroy());
  return session;
}

function get(session: ClientHttp2Session, headers: OutgoingHttpHeaders): ClientHttp2Stream {
  return session.request(headers, { endStream: true });
}

async function answerOf(stream: ClientHttp2Stream): Promise<{ status: number; text: string }> {
  const head = once(stream, 'response');
  const body = stream.toArray();
  const [[headers], chunks] = await within(Promise.all([head, body]), 10_000, 'the answer');
  return { status: Number(headers[':status']), text: Buffer.concat(chunks).toString() };
}
