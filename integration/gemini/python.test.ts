// SCGI backends in Python, of the kind Xitzin's page shows, below a prefix of our front and behind Molly Brown.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createGeminiApp } from '@scgi/adapter-gemini';
import type { GeminiServer } from '@scgi/adapter-gemini';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { startPython } from '../support/python.js';
import type { PythonServer } from '../support/python.js';
import { createCertificates } from './support/certificates.js';
import type { Certificates } from './support/certificates.js';
import { askGemini } from './support/client.js';
import type { GeminiAnswer } from './support/client.js';
import { startMollyBrown } from './support/molly-brown.js';

const script = (name: string): string => fileURLToPath(new URL(`backends/${name}.py`, import.meta.url));

describeWith(['python', 'openssl'], 'backends in Python', () => {
  let certificates: Certificates;
  let simple: PythonServer;
  let overTcp: PythonServer;
  let wsgi: PythonServer;
  let front: GeminiServer;
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);

  beforeAll(async () => {
    certificates = createCertificates();
    const { key, cert } = certificates.server;
    [simple, overTcp, wsgi] = await Promise.all([
      startPython({ script: script('simple_server') }),
      startPython({ script: script('simple_server'), listen: 'tcp' }),
      startPython({ script: script('wsgi_server') }),
    ]);
    const app = createGeminiApp();
    app.state['greeting'] = 'Grüße';
    app.scgi('/simple', simple.address, { onError, appStateKeys: ['greeting'] });
    app.scgi('/tcp', overTcp.address, { onError });
    app.scgi('/wsgi', wsgi.address, { onError });
    front = await app.listen({ key: readFileSync(key), cert: readFileSync(cert), port: 0, onError });
  });
  afterEach(() => void errors.splice(0));
  afterAll(async () => {
    await front?.close({ timeout: 0 });
    await Promise.all([simple?.stop(), overTcp?.stop(), wsgi?.stop()]);
    certificates?.remove();
  });

  const get = (path: string, identified = false): Promise<GeminiAnswer> =>
    askGemini(front.port, `gemini://localhost:${front.port}${path}`, identified ? certificates.client : undefined);

  describe.each(['/simple', '/tcp'])('the minimal server at %s', (mount) => {
    test.each([
      ['/input', '10 Enter your name:', ''],
      ['/redirect', '30 gemini://example.com/new-location', ''],
      ['/gone', '52 Gone', ''],
      ['/printed', '20 text/gemini', '# Printed\n'],
    ])('answers %s', async (path, header, text) => {
      expect(await get(mount + path)).toMatchObject({ header, text, ending: 'close_notify' });
      expect(errors).toEqual([]);
    });

    test('answers two megabytes', async () => {
      const digest = createHash('sha256').update('0123456789abcdef'.repeat(131_072)).digest('hex');
      expect(await get(`${mount}/large`)).toMatchObject({ length: 2_097_152, digest, ending: 'close_notify' });
    });

    test.each([
      ['/http', 'ERR_SCGI_GEMINI_RESPONSE'],
      ['/nothing', 'ERR_SCGI_RESPONSE_EMPTY'],
      ['/half', 'ERR_SCGI_GEMINI_RESPONSE'],
    ])('gives no answer at %s, and the client gets 43', async (path, code) => {
      expect(await get(mount + path)).toMatchObject({
        header: '43 SCGI backend error',
        text: '',
        ending: 'close_notify',
      });
      expect(errors).toEqual([expect.objectContaining({ code })]);
    });
  });

  test('sees the path, the query, the certificate and the state', async () => {
    const { header, text } = await get('/simple/users/%C3%BC?search=hello%20there', true);
    expect(header).toBe('20 text/gemini');
    expect(text.split('\n')).toEqual([
      '# SCGI Response',
      '',
      'Path: /users/ü',
      'Query: search=hello%20there',
      'SCGI: 1',
      'CONTENT_LENGTH: 0',
      `TLS_CLIENT_HASH: ${certificates.clientFingerprint}`,
      'APP_GREETING: Grüße',
      '',
    ]);
  });

  test('may be a WSGI application', async () => {
    expect(await get('/wsgi/a?b')).toMatchObject({
      header: '20 text/gemini',
      text: '# Hello from SCGI!\n\nPath: /a\nQuery: b\nMethod: GET\n',
    });
    expect(await get('/wsgi/slowly')).toMatchObject({ text: '0\n1\n2\n3\n4\n', ending: 'close_notify' });
  });

  test('that fails behind its header looks whole, for it closes as if it were', async () => {
    expect(await get('/wsgi/fails')).toMatchObject({ header: '20 text/plain', text: 'half', ending: 'close_notify' });
  });

  test('that dies makes the next request a 43, until it is back', async () => {
    const mortal = await startPython({ script: script('simple_server') });
    const app = createGeminiApp();
    app.scgi('/', mortal.address, { onError });
    const { key, cert } = certificates.server;
    const server = await app.listen({ key: readFileSync(key), cert: readFileSync(cert), port: 0 });
    const ask = (path: string): Promise<GeminiAnswer> =>
      askGemini(server.port, `gemini://localhost:${server.port}${path}`);
    expect((await ask('/exit')).text).toBe('half');
    expect(await ask('/')).toMatchObject({ header: '43 Failed to connect to SCGI backend', ending: 'close_notify' });
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCGI_BACKEND_UNREACHABLE' })]);
    await mortal.stop();
    await server.close();
  });
});

describeWith(['molly-brown', 'python', 'openssl'], 'the same backends behind Molly Brown', () => {
  test('answer as behind our front', async () => {
    const certificates = createCertificates();
    const simple = await startPython({ script: script('simple_server'), rest: ['reads-on'] });
    const socketPath = simple.address.slice('unix:'.length);
    const molly = await startMollyBrown({ identity: certificates.server, scgiPaths: { '/simple': socketPath } });
    try {
      const { header, text } = await askGemini(molly.port, `gemini://localhost:${molly.port}/simple/a%20b?c`);
      expect(header).toBe('20 text/gemini');
      expect(text).toContain('Path: /a b\nQuery: c\n');
    } finally {
      await molly.stop();
      await simple.stop();
      certificates.remove();
    }
  });
});
