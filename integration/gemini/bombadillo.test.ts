// A real client before our front: what a person at a terminal sees.

import { readFileSync } from 'node:fs';
import { createGeminiApp, serveScgi } from '@scgi/adapter-gemini';
import { afterEach, expect, test } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { createTestApp } from './support/app.js';
import { startBombadillo } from './support/bombadillo.js';
import { createCertificates } from './support/certificates.js';

describeWith(['bombadillo', 'python', 'openssl'], 'Bombadillo', () => {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).toReversed()) await end();
  });

  test('reads pages, follows links, answers prompts and tells what failed', async () => {
    const certificates = createCertificates();
    endings.push(() => certificates.remove());
    const running = await serveScgi(createGeminiApp().mount('/', createTestApp()), { bind: 0, onError() {} });
    endings.push(() => running.close({ timeout: 0 }));
    const { key, cert } = certificates.server;
    const app = createGeminiApp().route(
      '/',
      () =>
        '# Capsule of the test\n\n=> /app/ask Say who you are\n=> /app/who Show a certificate\n=> /app/throws Try your luck\n',
    );
    app.scgi('/app', running.endpoints[0]?.address ?? '');
    const front = await app.listen({ key: readFileSync(key), cert: readFileSync(cert), port: 0 });
    endings.push(() => front.close({ timeout: 0 }));

    const terminal = startBombadillo(`gemini://localhost:${front.port}/`);
    endings.push(() => terminal.stop());
    await terminal.shows('# Capsule of the test');
    await terminal.shows('[2] Show a certificate');

    await terminal.command('1');
    await terminal.shows('Your name?');
    terminal.type('Ada Löwe\r');
    await terminal.shows('Hello Ada Löwe');

    terminal.type('b');
    await terminal.shows('[2] Show a certificate');
    await terminal.command('2');
    await terminal.shows('[6] Client Certificate Required');

    await terminal.command('3');
    await terminal.shows('CGI error');
    expect(front.connections).toBe(0);
  });
});
