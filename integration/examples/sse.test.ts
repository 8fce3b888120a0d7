// examples/sse behind a real nginx with nothing but its stock parameters: events come one by one, a visitor who comes
// back misses none, and one who leaves is noticed.

import { createApp } from '../../examples/sse/app.js';
import { createFront } from '@scgi/testing';
import { beforeAll, afterAll, expect, onTestFinished, test } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { launchBrowser } from '../support/chromium.js';
import { within } from '../support/deadline.js';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { httpRequest, openRequest, type OpenResponse } from '../support/http-client.js';
import { startNginx, type Nginx } from '../support/nginx.js';
import { startExample, type ExampleProcess } from './support/example-process.js';

describeWith('nginx', 'the example of server-sent events behind nginx', () => {
  let app: ExampleProcess;
  let nginx: Nginx;

  beforeAll(async () => {
    app = await startExample('sse');
    nginx = await startNginx({ to: app.address });
  });
  afterAll(async () => {
    await nginx?.stop();
    await app?.stop();
  });

  interface Watcher extends OpenResponse {
    readonly events: EventStream;
  }

  async function watch(headers: Record<string, string> = {}): Promise<Watcher> {
    const opened = await openRequest({ origin: nginx.origin, path: '/events', headers });
    onTestFinished(opened.abort);
    return { ...opened, events: new EventStream(opened.response) };
  }

  async function press(): Promise<void> {
    expect((await httpRequest({ origin: nginx.origin, path: '/count', method: 'POST' })).status).toBe(204);
  }

  test('sends the page', async () => {
    const page = await httpRequest({ origin: nginx.origin });
    expect(page.headers['content-type']).toBe('text/html');
    expect(page.text).toContain("new EventSource('events')");
    expect((await httpRequest({ origin: nginx.origin, path: '/missing' })).status).toBe(404);
  });

  test('sends each event when it happens, with an id', async () => {
    const { events, response } = await watch();
    expect(response.headers['content-type']).toBe('text/event-stream');
    const before = await events.next('message');
    for (let step = 1; step <= 3; step += 1) {
      await press();
      // Were anything held back, this one would wait for the next.
      const event = await events.next('message', 1_000);
      expect(Number(event.data)).toBe(Number(before.data) + step);
      expect(Number(event.id)).toBe(Number(before.id) + step);
    }
  });

  test('sends who comes back exactly what was missed', async () => {
    const first = await watch();
    const { id, data } = await first.events.next('message');
    first.abort();
    await press();
    await press();
    const { events } = await watch({ 'Last-Event-ID': id });
    expect((await events.next('message')).data).toBe(`${Number(data) + 1}`);
    expect(await events.next('message')).toMatchObject({ id: `${Number(id) + 2}`, data: `${Number(data) + 2}` });
  });

  test('knows within a second that a visitor left', async () => {
    const { events } = await watch();
    // Those of the tests before may be on their way out.
    while ((await events.next('watchers')).data !== '1');
    const other = await watch();
    expect((await events.next('watchers')).data).toBe('2');
    // Another request's answer says that the application is past the moment in which an end could be a half-close.
    await press();
    other.abort();
    expect((await events.next('watchers', 1_000)).data).toBe('1');
  });

  test('lets two browsers see the same counter', async (context) => {
    requireFrontEnd('chromium', context);
    const browser = await launchBrowser();
    onTestFinished(() => browser.close());
    const [left, right] = [await browser.newPage(), await browser.newPage()];
    for (const page of [left, right]) await page.goto(nginx.origin);
    await left.getByText('2 watching').waitFor({ timeout: 5_000 });
    const pressed = async (): Promise<number> => Number(await right.locator('#count').textContent());
    const before = await pressed();
    await left.getByRole('button', { name: 'Press' }).click();
    await right.getByText(`Pressed ${before + 1} times`).waitFor({ timeout: 5_000 });
    await left.close();
    await right.getByText('1 watching').waitFor({ timeout: 5_000 });
  });

  test('ends soon after SIGTERM, though somebody watches', async () => {
    const example = await startExample('sse');
    onTestFinished(async () => void (await example.stop()));
    const front = await createFront(example.address, { http: { onError() {} } });
    onTestFinished(() => front.close());
    const { response, abort } = await openRequest({ origin: front.url, path: '/events' });
    onTestFinished(abort);
    const cut = new Promise<void>((resolve) =>
      response
        .once('close', resolve)
        .on('error', () => {})
        .resume(),
    );
    expect(await example.stop()).toBe(0);
    await within(cut, 1_000, 'the end of the stream');
    expect(example.output()).toBe(`SCGI: listening on ${example.address}\n`);
  });
});

test('the example of server-sent events sends a heartbeat while nothing happens', async () => {
  const front = await createFront(createApp({ heartbeatMs: 20 }));
  onTestFinished(() => front.close());
  const { response } = await openRequest({ origin: front.url, path: '/events' });
  let text = '';
  const beats = new Promise<void>((resolve) => {
    response.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      if (text.split(': still here\n\n').length > 3) resolve();
    });
  });
  await within(beats, 5_000, 'three heartbeats');
  expect(text).toMatch(/^retry: 1000\n\n/);
});
