// examples/gemini-capsule as its README starts it, in a folder of its own.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { startPeerProcess } from '../support/peer-process.js';
import type { PeerProcess } from '../support/peer-process.js';
import { createCertificates } from './support/certificates.js';
import type { Certificates } from './support/certificates.js';
import { askGemini } from './support/client.js';
import type { GeminiAnswer } from './support/client.js';

const script = fileURLToPath(new URL('../../examples/gemini-capsule/server.js', import.meta.url));
const listening = /listening on gemini:\/\/localhost:([0-9]+)\//;

describeWith(['openssl', 'python'], 'the example capsule', () => {
  let certificates: Certificates;
  let capsule: PeerProcess;
  let port: number;

  beforeAll(async () => {
    certificates = createCertificates();
    capsule = await startPeerProcess({
      name: 'capsule',
      executable: process.execPath,
      args: () => [script],
      env: { PORT: '0' },
      isReady: (output) => listening.test(output),
    });
    port = Number(listening.exec(capsule.output())?.[1]);
  });
  afterAll(async () => {
    await capsule?.stop();
    certificates?.remove();
  });

  const get = (path: string, identified = false): Promise<GeminiAnswer> =>
    askGemini(port, `gemini://localhost:${port}${path}`, identified ? certificates.client : undefined);

  test('has a home page whose links lead somewhere', async () => {
    const { text } = await get('/');
    expect(text).toContain('# A capsule');
    const links = [...text.matchAll(/^=> (\S+)/gm)].map(([, path = '']) => path);
    expect(links).toHaveLength(3);
    for (const path of links) expect((await get(path, true)).header).toBe('20 text/gemini');
  });

  test('asks for a certificate, and knows who shows one', async () => {
    expect((await get('/private')).header).toBe('60 Show a certificate');
    const { text } = await get('/private', true);
    expect(text).toContain('# Welcome, Ada Löwe');
    expect(text).toContain(certificates.clientFingerprint);
  });

  test('has a guestbook behind SCGI that everybody can sign', async () => {
    expect((await get('/guestbook/')).text).toContain('# Guests of this capsule');
    expect((await get('/guestbook/sign')).header).toBe('10 What would you like to say?');
    expect((await get('/guestbook/sign?Gr%C3%BC%C3%9Fe%0A%3D%3E%20evil', true)).header).toBe('30 /guestbook/');
    expect((await get('/guestbook/')).text).toContain('* Ada Löwe: Grüße => evil\n');
  });

  test('keeps its certificate beside it, logs, and ends when it is told to', async () => {
    expect(existsSync(join(capsule.folder, 'data/certificate.pem'))).toBe(true);
    expect((await get('/nothing')).header).toBe('51 Not found');
    expect(capsule.output()).toContain('51 /nothing\n');
    expect(await capsule.stop()).toBe(0);
  });
});
