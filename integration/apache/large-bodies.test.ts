// Bodies that an application refuses half-way, behind Apache: it sends all of a request before it reads the answer, and an
// answer whose connection is closed with unread input is lost.

import Koa from 'koa';
import { koaBody } from 'koa-body';
import type { RequestListener } from 'node:http';
import { expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { test, transports } from './support/stage.js';

const body = 'x'.repeat(3_000_000);
const headers = { 'Content-Type': 'text/plain' };

/** Reads as raw-body does: takes some, has enough, leaves. */
const refuse: RequestListener = (request, response) => {
  const onData = (): void => {
    request.off('data', onData);
    request.pause();
    response.writeHead(413).end('too large');
  };
  request.on('data', onData);
};

describeWith('apache', 'a body that is too large', () => {
  test.for(transports)('is refused with 413 by an application that stops reading over %s', async (over, { stage }) => {
    const { address } = await stage.serve(refuse, { over });
    const { origin } = await stage.apache({ to: address });
    const answer = await httpRequest({ origin, method: 'POST', body, headers });
    expect(answer).toMatchObject({ status: 413, text: 'too large' });
  });

  test.for(transports)('is refused with 413 by koa-body over %s', async (over, { stage }) => {
    const app = new Koa();
    app.silent = true;
    app.use(koaBody({ textLimit: 1000 }));
    app.use((ctx) => void (ctx.body = 'taken'));
    const { address } = await stage.serve(app.callback(), { over });
    const { origin } = await stage.apache({ to: address });
    expect((await httpRequest({ origin, method: 'POST', body, headers })).status).toBe(413);
    expect(await httpRequest({ origin, method: 'POST', body: 'short', headers })).toMatchObject({
      status: 200,
      text: 'taken',
    });
  });
});
