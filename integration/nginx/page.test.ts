// The page of the example application in a real browser behind nginx: it shows what arrived, its panels work, and
// neither the console nor the content security policy has anything to complain about.

import { createApp } from 'example-express';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser } from '../support/chromium.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import type { Nginx } from '../support/nginx.js';
import { Stage, type StagedApp } from './support/stage.js';

describeWith(['nginx', 'chromium'], 'the page of the example application', () => {
  const stage = new Stage();
  let app: StagedApp;
  let nginx: Nginx;
  let browser: Browser;
  let page: Page;
  /** What the browser complained about. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchBrowser();
    stage.add(() => browser.close());
    app = await stage.serve(createApp({ logError() {} }));
    nginx = await stage.nginx({ to: app.address });
  });
  afterAll(() => stage.clear());

  beforeEach(async () => {
    complaints = [];
    const context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      // A page that is left breaks off its own feed.
      if (reason !== 'net::ERR_ABORTED') complaints.push(`${reason} ${request.url()}`);
    });
    page.on(
      'response',
      (response) => response.status() >= 400 && complaints.push(`${response.status()} ${response.url()}`),
    );
    // Violations of the content security policy are told here too.
    page.on('console', (message) => message.type() === 'error' && complaints.push(`console: ${message.text()}`));
    await page.goto(nginx.origin);
    await page.locator('#feed-state[data-state=open]').waitFor();
  });
  afterEach(async () => {
    await page.context().close();
    await until(() => app.server.connectionCount === 0, 10_000, 'the end of the feed of a closed page');
  });

  test('shows the variables of nginx beside the fields of the browser', async () => {
    expect(await page.title()).toBe('Express over SCGI');
    expect(await rowOf(page, 'server', 'REMOTE_ADDR')).toBe('127.0.0.1');
    expect(await rowOf(page, 'server', 'SERVER_PORT')).toBe(`${nginx.port}`);
    expect(await rowOf(page, 'client', 'REQUEST_URI')).toBe('/');
    expect(await rowOf(page, 'client', 'user-agent')).toMatch(/Chrome/);
    expect(complaints).toEqual([]);
  });

  test('tells in its feed what happens in another window', async () => {
    const other = await page.context().newPage();
    await other.goto(nginx.origin);
    await other.locator('#notes-text').fill('seen in both windows');
    await other.locator('#notes-form button').click();
    await page.locator('#feed-log li', { hasText: 'added the note “seen in both windows”' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('posts a form and shows what was posted', async () => {
    await page.locator('#message-text').fill('<b>käse</b> & ☕');
    await page.locator('#form button').click();
    await page.waitForURL('**/#form');
    expect(await page.locator('#form .list').textContent()).toContain('<b>käse</b> & ☕');
    expect(complaints).toEqual([]);
  });

  test('remembers a name in its session, and forgets it', async () => {
    await page.locator('#session-name').fill('Ada');
    await page.locator('#session form[action=session] button').click();
    await page.locator('#session strong', { hasText: 'Ada' }).waitFor();
    await page.locator('#session form[action="session/end"] button').click();
    await page.locator('#session p', { hasText: 'This is visit 1,' }).waitFor();
    expect(await page.locator('#session p').first().textContent()).not.toContain('Ada');
    expect(complaints).toEqual([]);
  });

  test('shows how far an upload is, and then its digest', async () => {
    const content = Buffer.alloc(4 * 1024 * 1024, 'content of a file');
    const file = join(stage.folder(), 'large.bin');
    writeFileSync(file, content);
    await page.locator('#upload-file').setInputFiles(file);
    // A line so slow that there is something to see on the way.
    const network = await page.context().newCDPSession(page);
    const uploadThroughput = 4 * 1024 * 1024;
    const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput };
    await network.send('Network.emulateNetworkConditions', conditions);
    await page.locator('#upload form button:not([type])').click();
    await page.locator('#upload-result[data-state=busy]', { hasText: ' of 4.0 MiB, ' }).waitFor();
    const result = page.locator('#upload-result[data-state=good]');
    await result.waitFor();
    expect(await result.textContent()).toContain(createHash('sha256').update(content).digest('hex'));
    expect(complaints).toEqual([]);
  });

  test('gets a slice of a file', async () => {
    await page.locator('#range-slice').click();
    await page.locator('#range-result[data-state=good]', { hasText: 'bytes 0-39/' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('is not believed when it lies about its address', async () => {
    await page.locator('#spoof-send').click();
    await page.locator('#spoof-result[data-state=good]', { hasText: 'not believed' }).waitFor();
    expect(complaints).toEqual([]);
  });

  test('sees that a response which fails halfway is broken', async () => {
    await page.locator('#errors [data-path="errors/late"]').click();
    await page.locator('#errors-result', { hasText: 'The browser saw a broken response' }).waitFor();
    expect(complaints.join()).toContain('errors/late'); // Here the browser is right to complain.
  });
});

/** The value of a row in a column of the page, by its name. */
async function rowOf(page: Page, column: 'server' | 'client', name: string): Promise<string | null> {
  const row = page.locator(`#arrived .${column} tr`, { has: page.locator('th', { hasText: new RegExp(`^${name}$`) }) });
  return row.locator('td').textContent();
}
