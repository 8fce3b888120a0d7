// The chat of the examples, started as its README says: two pages of a real browser meet in it through a real nginx.

import { openChat } from '../../examples/websocket-chat/app.js';
import { pages } from '../../examples/websocket-chat/pages.js';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { launchBrowser } from '../support/chromium.js';
import { Stage, test } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { type Peer, refusal, stepMs } from './support/peer.js';
import { dialWebSocket, type ClientWishes } from './support/scene.js';

const folder = new URL('../../examples/websocket-chat/', import.meta.url);

interface ChatProcess {
  readonly address: string;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

/** Runs server.js and waits until it says that it listens. */
async function startChat(stage: Stage, address: string = stage.freeAddress('unix')): Promise<ChatProcess> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('server.js', folder))], {
    env: { ...process.env, SCGI_BIND: address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  stage.add(() => child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  await until(
    () => output.includes(`SCGI: listening on ${address}\n`),
    stepMs,
    () => `the chat; it says: ${output}`,
  );
  const stop = (): Promise<number | null> => {
    child.kill('SIGTERM');
    return within(ended, stepMs, 'the end of the chat');
  };
  return { address, stop };
}

describeWith(['nginx', 'chromium'], 'the chat in two browser windows', () => {
  const stage = new Stage();
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
    stage.add(() => browser.close());
  });
  afterAll(() => stage.clear());

  /** A window with a profile of its own, whose visitor has entered. */
  async function enter(origin: string, name: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
    page.on('console', (message) => message.type() === 'error' && complaints.push(`console: ${message.text()}`));
    await page.goto(origin);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.locator('#state', { hasText: `here as ${name}` }).waitFor();
    return { page, complaints };
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  }

  const textsOf = (page: Page): Promise<string[]> => page.locator('#log li').allTextContents();
  const namesOf = (page: Page): Promise<string[]> => page.locator('#online li').allTextContents();

  test('shows each what the other says, and who comes and goes', async ({ stage: own }) => {
    const chat = await startChat(own);
    const nginx = await own.nginx({ to: chat.address });
    const ada = await enter(nginx.origin, 'Ada');
    await say(ada.page, 'is anybody here?');
    const bob = await enter(nginx.origin, 'Bob <i>');
    await bob.page.locator('#log li', { hasText: 'is anybody here?' }).waitFor();
    for (const { page } of [ada, bob]) await until(async () => (await namesOf(page)).length === 2, stepMs, 'two names');
    expect(await namesOf(ada.page)).toEqual(['Ada', 'Bob <i>']);
    await say(bob.page, '<img src=x onerror=alert(1)> & grüße ☕');
    for (const { page } of [ada, bob]) {
      await page.locator('#log li', { hasText: 'Bob <i><img src=x onerror=alert(1)> & grüße ☕' }).waitFor();
      expect(await page.locator('#log img, #online i').count()).toBe(0);
      expect(await textsOf(page)).toHaveLength(2);
    }
    await bob.page.close();
    await until(async () => (await namesOf(ada.page)).join() === 'Ada', 1_000, 'the departure of Bob');
    expect([...ada.complaints, ...bob.complaints]).toEqual([]);
  });

  test('brings a page back when the chat was restarted', async ({ stage: own }) => {
    const first = await startChat(own);
    const nginx = await own.nginx({ to: first.address });
    const { page } = await enter(nginx.origin, 'Ada');
    await say(page, 'see you soon');
    await page.locator('#log li', { hasText: 'see you soon' }).waitFor();
    expect(await first.stop()).toBe(0);
    await page.locator('#state', { hasText: 'coming back' }).waitFor();
    await startChat(own, first.address);
    await page.locator('#state', { hasText: 'here as Ada' }).waitFor();
    await say(page, 'I am back');
    await page.locator('#log li', { hasText: 'I am back' }).waitFor();
    // The new process knows nothing of the old one's messages.
    expect(await textsOf(page)).toHaveLength(1);
    await page.close();
  });
});

/** What the chat tells a page. */
interface News {
  readonly online?: readonly string[];
  readonly history?: readonly { readonly name: string; readonly text: string; readonly at: number }[];
  readonly said?: { readonly name: string; readonly text: string; readonly at: number };
}

async function news(guest: Peer): Promise<News> {
  const told: unknown = JSON.parse(String(await guest.next()));
  return typeof told === 'object' && told !== null ? told : {};
}

interface ServedChat {
  readonly origin: string;
  dial(path: string, options?: ClientWishes): Peer;
}

/** Serves the chat from this process. */
async function serveChat(stage: Stage, options?: { heartbeatMs: number }): Promise<ServedChat> {
  const app = await stage.serve(pages);
  openChat(app.server, options);
  const { origin } = await stage.nginx({ to: app.address });
  const dial: ServedChat['dial'] = (path, wishes) =>
    dialWebSocket(stage, origin.replace('http', 'ws'), { ...wishes, path });
  return { origin, dial };
}

describeWith('nginx', 'the chat', () => {
  test('keeps the last 20 messages for who comes later', async ({ stage }) => {
    const { dial } = await serveChat(stage);
    const speaker = await dial('/chat?name=Ada').opened();
    for (let count = 1; count <= 25; count += 1) speaker.socket.send(`message ${count}`);
    await until(async () => (await news(speaker)).said?.text === 'message 25', stepMs, 'the last message');
    const { history } = await news(dial('/chat?name=Bob'));
    expect(history?.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, index) => `message ${index + 6}`));
    expect(history?.[0]).toMatchObject({ name: 'Ada', at: expect.any(Number) });
  });

  test('finds out by its heartbeat who has vanished without a word', async ({ stage }) => {
    const { dial } = await serveChat(stage, { heartbeatMs: 50 });
    const alive = await dial('/chat?name=Ada').opened();
    const dead = await dial('/chat?name=Bob', { autoPong: false }).opened();
    expect((await dead.ended()).code).toBe(1006);
    const seen: string[] = [];
    await until(
      async () => {
        const { online } = await news(alive);
        if (online !== undefined) seen.push(online.join());
        return seen.join(' ') === 'Ada Ada,Bob Ada';
      },
      stepMs,
      () => `the coming and going, not: ${seen.join(' ')}`,
    );
    expect(alive.socket.readyState).toBe(alive.socket.OPEN);
  });

  describe('refuses', () => {
    test.for(['http://evil.test', 'http://chat.test.evil.test', 'null', 'no url'])(
      'the page of another site: %s',
      async (origin, { stage }) => {
        const { dial } = await serveChat(stage);
        const { socket } = dial('/chat', { origin, headers: { Host: 'chat.test' } });
        expect((await refusal(socket)).response.statusCode).toBe(401);
        await dial('/chat', { origin: 'https://chat.test', headers: { Host: 'chat.test' } }).opened();
      },
    );

    test('messages beyond 4 KiB', async ({ stage }) => {
      const { dial } = await serveChat(stage);
      const client = await dial('/chat').opened();
      client.socket.send('x'.repeat(4097));
      expect((await client.ended()).code).toBe(1009);
    });

    test('other paths', async ({ stage }) => {
      const { dial, origin } = await serveChat(stage);
      expect((await refusal(dial('/other').socket)).response.statusCode).toBe(400);
      expect((await httpRequest({ origin, path: '/app.js' })).status).toBe(404);
      expect((await httpRequest({ origin, path: '/?x' })).headers['content-type']).toBe('text/html; charset=utf-8');
    });
  });
});
