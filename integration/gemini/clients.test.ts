// Real clients before our front: what a person at a terminal sees.

import { readFileSync } from 'node:fs';
import { createGeminiApp, serveScgi } from '@scgi/adapter-gemini';
import type { GeminiServer, RunningServer } from '@scgi/adapter-gemini';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { createTestApp } from './support/app.js';
import { createCertificates } from './support/certificates.js';
import type { Certificates } from './support/certificates.js';
import { startClient } from './support/terminal.js';
import type { Terminal } from './support/terminal.js';

const home = `# Capsule of the test

=> /app/ask Say who you are
=> /app/who Show a certificate
=> /app/throws Try your luck
`;

describeWith(['bombadillo', 'amfora', 'python', 'openssl'], 'a client for the terminal', () => {
  let certificates: Certificates;
  let running: RunningServer;
  let front: GeminiServer;
  let terminal: Terminal | undefined;

  beforeAll(async () => {
    certificates = createCertificates();
    running = await serveScgi(createGeminiApp().mount('/', createTestApp()), { bind: 0, onError() {} });
    const app = createGeminiApp().route('/', () => home);
    app.scgi('/app', running.endpoints[0]?.address ?? '');
    const { key, cert } = certificates.server;
    front = await app.listen({ key: readFileSync(key), cert: readFileSync(cert), port: 0 });
  });
  afterEach(async () => {
    await terminal?.stop();
    await until(() => front.connections === 0, 5_000, 'no connection left');
  });
  afterAll(async () => {
    await front?.close({ timeout: 0 });
    await running?.close({ timeout: 0 });
    certificates?.remove();
  });

  test('such as Bombadillo reads pages, follows links, answers prompts and tells what failed', async () => {
    const { type, shows } = (terminal = startClient('bombadillo', `gemini://localhost:${front.port}/`));
    /** A number follows that link. */
    const command = async (text: string): Promise<void> => {
      // It reads a line from here on: what is typed before is lost.
      type(':');
      await shows(':');
      type(`${text}\r`);
    };
    await shows('# Capsule of the test');
    await shows('[2] Show a certificate');
    await command('1');
    await shows('Your name?');
    type('Ada Löwe\r');
    await shows('Hello Ada Löwe');
    type('b');
    await shows('[2] Show a certificate');
    // It has no certificates.
    await command('2');
    await shows('[6] Client Certificate Required');
    await command('3');
    await shows('CGI error');
  });

  test('such as Amfora shows its certificate', async () => {
    const { cert, key } = certificates.client;
    const place = `localhost:${front.port}`;
    const config = ['[auth.certs]', `"${place}" = "${cert}"`, '[auth.keys]', `"${place}" = "${key}"`, ''].join('\n');
    const { shows } = (terminal = startClient('amfora', `gemini://${place}/app/who`, { 'amfora/config.toml': config }));
    // It leaves alone what is on the screen already, so only the end of the line is sure to be written.
    await shows(certificates.clientFingerprint.slice(-20));
  });
});
