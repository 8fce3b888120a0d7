// examples/nest behind a real nginx with nothing but its stock parameters: pages, a form, JSON, errors, and the end.

import { serveScgi } from '@scgi/core';
import { createFront, rawRequest } from '@scgi/testing';
import { createApp } from '../../examples/nest/app.js';
import { BooksService } from '../../examples/nest/books/books.service.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { launchBrowser } from '../support/chromium.js';
import { until, within } from '../support/deadline.js';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import { startNginx, type Nginx } from '../support/nginx.js';
import { startExample, type ExampleProcess } from './support/example-process.js';

const html = { Accept: 'text/html' };
const form = { ...html, 'Content-Type': 'application/x-www-form-urlencoded' };
const json = { Accept: 'application/json', 'Content-Type': 'application/json' };

describeWith('nginx', 'the NestJS example behind nginx', () => {
  let app: ExampleProcess;
  let nginx: Nginx;

  beforeAll(async () => {
    app = await startExample('nest');
    nginx = await startNginx({ to: app.address });
  });
  afterAll(async () => {
    await nginx?.stop();
    await app?.stop();
  });
  const ask = (path: string, request: Partial<HttpRequestOptions> = {}): Promise<HttpResponse> =>
    httpRequest({ origin: nginx.origin, path, headers: html, ...request });

  test('starts with the list, in its layout and with its style', async () => {
    const start = await ask('/');
    expect([start.status, start.headers.location]).toEqual([302, '/books']);
    const list = await ask('/books');
    expect(list.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(list.text).toMatch(/^<!doctype html>[^]*<h1>Books<\/h1>[^]*<a href="\/books\/1">Molloy<\/a>/);
    expect((await ask('/assets/style.css')).headers['content-type']).toBe('text/css; charset=utf-8');
  });

  test('shows one book', async () => {
    expect((await ask('/books/2')).text).toContain('by Marlen Haushofer');
  });

  test('redirects after a post to the new book, and escapes what was posted', async () => {
    const added = await ask('/books', { headers: form, body: 'title=%3Cb%3E+%26+%C3%BC&author=Anna' });
    expect(added.status).toBe(303);
    const page = await ask(added.headers.location ?? '');
    expect(page.text).toContain('<h1>&lt;b&gt; &amp; ü</h1>');
  });

  test('shows what is wrong with a form', async () => {
    const refused = await ask('/books', { headers: form, body: 'title=+&author=' });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('A book needs a title.');
    expect(refused.text).toContain('A book needs an author.');
  });

  test.each([
    ['/books/999', 404, 'There is no book 999.'],
    ['/books/one', 400, 'numeric string is expected'],
    ['/nowhere', 404, 'Cannot GET /nowhere'],
  ])('shows an error page for %s', async (path, status, problem) => {
    const page = await ask(path);
    expect(page.status).toBe(status);
    expect(page.text).toMatch(`<h1>Error ${status}</h1>`);
    expect(page.text).toContain(problem);
  });

  test('lists, adds and removes as JSON', async () => {
    const added = await ask('/api/books', { headers: json, body: '{"title":"Momo","author":"Michael Ende"}' });
    expect(added.status).toBe(201);
    const { data } = JSON.parse(added.text);
    expect(data).toEqual({ id: expect.any(Number), title: 'Momo', author: 'Michael Ende' });
    expect(JSON.parse((await ask('/api/books', { headers: json })).text).data).toContainEqual(data);
    const removed = await ask(`/api/books/${data.id}`, { method: 'DELETE', headers: json });
    expect([removed.status, removed.text]).toEqual([204, '']);
    const again = await ask(`/api/books/${data.id}`, { method: 'DELETE', headers: json });
    expect(JSON.parse(again.text)).toEqual({ status: 404, problems: [`There is no book ${data.id}.`] });
  });

  test.each([
    ['bad JSON', '{"title":', 400],
    ['JSON without an author', '{"title":"x"}', 400],
    ['a body beyond the limit', `{"title":"${'x'.repeat(200_000)}"}`, 413],
  ])('refuses %s', async (_what, body, status) => {
    const refused = await ask('/api/books', { headers: json, body });
    expect(refused.status).toBe(status);
    expect(JSON.parse(refused.text).problems).toHaveLength(1);
  });

  test('guards by the address of the client, which comes from the web server', async () => {
    const variables = { REQUEST_METHOD: 'DELETE', REQUEST_URI: '/api/books/1', SERVER_PROTOCOL: 'HTTP/1.1' };
    const claims = { REMOTE_ADDR: '192.0.2.7', HTTP_X_FORWARDED_FOR: '127.0.0.1', HTTP_ACCEPT: 'application/json' };
    const refused = await rawRequest(app.address, { variables: { ...variables, ...claims } });
    expect(refused.status).toBe(403);
    expect((await ask('/books/1')).status).toBe(200);
  });

  test('lets a browser go from the list to a book, back, and add one', async (context) => {
    requireFrontEnd('chromium', context);
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(nginx.origin);
    await page.getByRole('link', { name: 'Molloy' }).click();
    await page.getByRole('heading', { name: 'Molloy' }).waitFor();
    expect(await page.locator('p').first().textContent()).toBe('by Samuel Beckett');
    await page.getByRole('link', { name: 'All books' }).click();
    await page.getByLabel('Title').fill('Malina');
    await page.getByLabel('Author').fill('Ingeborg Bachmann');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.waitForURL(/\/books\/\d+$/);
    expect(await page.getByRole('heading').textContent()).toBe('Malina');
    await page.getByRole('link', { name: 'All books' }).click();
    await page.getByRole('link', { name: 'Malina' }).waitFor();
  });

  test('runs its shutdown hooks on SIGTERM and ends as Nest ends it', async () => {
    const example = await startExample('nest');
    const other = await startNginx({ to: example.address });
    onTestFinished(other.stop);
    expect((await httpRequest({ origin: other.origin, path: '/books' })).status).toBe(200);
    // Nest sends itself the signal again when all is done.
    expect(await example.stop()).toBeNull();
    expect(example.output()).toContain('forgotten after SIGTERM: 2 books');
  });
});

describe('a NestJS application over SCGI', () => {
  test('waits in app.close() for requests in flight before its shutdown hooks run', async () => {
    const order: string[] = [];
    const app = await createApp({ logger: false });
    let answer: (() => void) | undefined;
    app.use('/slow', (_req: unknown, res: { end(text: string): void }) => {
      answer = () => {
        order.push('answered');
        res.end('at last');
      };
    });
    await app.init();
    vi.spyOn(app.get(BooksService), 'onApplicationShutdown').mockImplementation(() => void order.push('hook'));
    const server = await serveScgi(app.getHttpAdapter().getInstance(), { bind: 0 });
    onTestFinished(() => server.close({ timeout: 0 }));
    app.getHttpAdapter().close = () => server.close({ timeout: 10_000 });
    const front = await createFront(server.endpoints[0]?.address ?? '');
    onTestFinished(() => front.close());

    const answered = httpRequest({ origin: front.url, path: '/slow' });
    await until(() => answer !== undefined, 5_000, 'the request');
    const closed = app.close().then(() => order.push('closed'));
    await until(() => !server.server.listening, 5_000, 'the end of listening');
    answer?.();
    expect((await answered).text).toBe('at last');
    await within(closed, 5_000, 'the end of the application');
    expect(order).toEqual(['answered', 'hook', 'closed']);
  });
});
