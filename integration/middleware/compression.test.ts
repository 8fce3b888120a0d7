// compression, as it is, over SCGI: what is encoded, what is left alone, and that flushed pieces leave at once.

import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import compression from 'compression';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { within } from '../support/deadline.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { serveBothWays } from './support/both-ways.js';

const page = 'All work and no play makes Jack a dull boy.\n'.repeat(2_000);

function createApp(): express.Express {
  const app = express();
  app.use(compression());
  app.get('/page', (_req, res) => void res.type('text').send(page));
  app.get('/small', (_req, res) => void res.type('text').send('small'));
  app.get('/image', (_req, res) => void res.type('png').send(Buffer.alloc(5_000)));
  app.get('/final', (_req, res) => void res.set('Cache-Control', 'no-transform').type('text').send(page));
  app.get('/pieces', (_req, res) => {
    res.type('text');
    for (const line of page.match(/.+\n/g) ?? []) res.write(line);
    res.end();
  });
  return app;
}

describe('compression', () => {
  test.each(['gzip', 'br', 'deflate'])('encodes a page with %s', async (coding) => {
    const app = await serveBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/page').set('Accept-Encoding', coding));
    expect(answer.headers).toMatchObject({ 'content-encoding': coding, vary: 'Accept-Encoding' });
    expect(answer.headers).not.toHaveProperty('content-length');
    expect(answer.text).toBe(page);
  });

  test('sends fewer bytes, which decode to the page', async () => {
    const { front } = await serveBothWays(createApp);
    const ask = (coding: string): ReturnType<typeof httpRequest> =>
      httpRequest({ origin: front.url, path: '/page', headers: { 'Accept-Encoding': coding } });
    const gzip = await ask('gzip');
    expect(gzip.body.byteLength).toBeLessThan(page.length / 20);
    expect(gunzipSync(gzip.body).toString()).toBe(page);
    expect(brotliDecompressSync((await ask('br')).body).toString()).toBe(page);
  });

  test('encodes what is written in pieces', async () => {
    const app = await serveBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/pieces').set('Accept-Encoding', 'gzip'));
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.text).toBe(page);
  });

  test('leaves the page alone for a client that accepts no coding', async () => {
    const app = await serveBothWays(createApp);
    const answer = await app.same((agent) => agent.get('/page').set('Accept-Encoding', 'identity'));
    expect(answer.headers).toMatchObject({ vary: 'Accept-Encoding', 'content-length': `${page.length}` });
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });

  test.each(['/small', '/image', '/final'])('leaves %s alone, and its length stands', async (path) => {
    const app = await serveBothWays(createApp);
    const answer = await app.same((agent) => agent.get(path).set('Accept-Encoding', 'gzip'));
    expect(answer.headers).not.toHaveProperty('content-encoding');
    expect(answer.headers['content-length']).toBe(`${answer.body.byteLength}`);
  });

  test('answers HEAD with the fields and no body', async () => {
    const app = await serveBothWays(createApp);
    const answer = await app.same((agent) => agent.head('/page').set('Accept-Encoding', 'gzip'));
    expect(answer.headers['vary']).toBe('Accept-Encoding');
    expect(answer.body).toHaveLength(0);
  });

  test('lets a flushed piece leave before the next one is written', async () => {
    let proceed = (): void => {};
    const { front } = await serveBothWays(() =>
      express()
        .use(compression())
        .get('/', (_req, res) => {
          res.type('text').write('first ');
          res.flush();
          proceed = () => void res.end('second');
        }),
    );
    const { response } = await openRequest({ origin: front.url, headers: { 'Accept-Encoding': 'gzip' } });
    const text = response.pipe(createGunzip()).setEncoding('utf8');
    const received: string[] = [];
    const first = new Promise<void>((resolve) => text.once('data', () => resolve()));
    text.on('data', (piece: string) => received.push(piece));
    await within(first, 5_000, 'the first piece');
    expect(received).toEqual(['first ']);
    const end = new Promise<void>((resolve) => text.once('end', resolve));
    proceed();
    await within(end, 5_000, 'the end');
    expect(received.join('')).toBe('first second');
  });

  test('passes events on one by one, untouched, where the stream says no-transform', async () => {
    let sendNext = (): void => {};
    const { front } = await serveBothWays(() =>
      express()
        .use(compression())
        .get('/', (_req, res) => {
          res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache, no-transform' });
          res.write('data: one\n\n');
          sendNext = () => void res.write('data: two\n\n');
        }),
    );
    const { response, abort } = await openRequest({ origin: front.url, headers: { 'Accept-Encoding': 'gzip' } });
    expect(response.headers).not.toHaveProperty('content-encoding');
    response.setEncoding('utf8');
    const next = (what: string): Promise<string> =>
      within(new Promise((resolve) => response.once('data', resolve)), 5_000, what);
    expect(await next('the first event')).toBe('data: one\n\n');
    sendNext();
    expect(await next('the second event')).toBe('data: two\n\n');
    abort();
  });
});
