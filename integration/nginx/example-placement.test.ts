// Where nginx puts the example application: behind HTTPS, and below a prefix.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import type { Nginx } from '../support/nginx.js';
import { createCertificate } from './support/certificate.js';
import { parsed, serveExample, textFile } from './support/example-app.js';
import { Stage } from './support/stage.js';

describeWith(['nginx', 'openssl'], 'the example application behind nginx over HTTPS', () => {
  const stage = new Stage();
  let nginx: Nginx;
  beforeAll(async () => {
    const app = await serveExample(stage);
    nginx = await stage.nginx({ to: app.address, tls: createCertificate(stage.folder()) });
  });
  afterAll(() => stage.clear());

  test('is secure for Express', async () => {
    const { json } = parsed(await httpRequest({ origin: nginx.tlsOrigin, path: '/request' }));
    expect(json.express).toMatchObject({ protocol: 'https', secure: true, ip: '127.0.0.1' });
    expect(json.vouched).toContainEqual(['HTTPS', 'on']);
  });

  test('is not secure on the plain listener of the same server', async () => {
    const lies = { 'X-Forwarded-Proto': 'https' };
    const { json } = parsed(await httpRequest({ origin: nginx.origin, path: '/request', headers: lies }));
    expect(json.express).toMatchObject({ protocol: 'http', secure: false });
  });

  test('gets cookies that are Secure, and plain ones over HTTP', async () => {
    const [secure] = (await httpRequest({ origin: nginx.tlsOrigin })).headers['set-cookie'] ?? [];
    const [plain] = (await httpRequest({ origin: nginx.origin })).headers['set-cookie'] ?? [];
    expect(secure).toMatch(/; secure(;|$)/i);
    expect(plain).not.toMatch(/; secure(;|$)/i);
  });
});

describeWith('nginx', 'the example application below a prefix', () => {
  const stage = new Stage();
  const nginx: Record<string, Nginx> = {};
  beforeAll(async () => {
    // The prefix is said once: to the application, or to nginx, which then states it with each request.
    const told = await serveExample(stage, { basePath: '/app' });
    nginx['basePath'] = await stage.nginx({ path: '/app', to: told.address });
    const asked = await serveExample(stage, { basePath: 'SCRIPT_NAME' });
    nginx['SCRIPT_NAME'] = await stage.nginx({ path: '/app', to: asked.address, params: { SCRIPT_NAME: '/app' } });
  });
  afterAll(() => stage.clear());

  describe.each(['basePath', 'SCRIPT_NAME'])('that %s names', (how) => {
    const send = (path: string, request: Partial<HttpRequestOptions> = {}): Promise<HttpResponse> =>
      httpRequest({ origin: nginx[how]?.origin ?? '', path, ...request });

    test('finds its routes, and Express knows where it is mounted', async () => {
      const { json } = parsed(await send('/app/request?x=%2F'));
      expect(json.express).toMatchObject({ baseUrl: '/app', originalUrl: '/app/request?x=%2F' });
    });

    test.for([
      { target: '/app', location: './app/' },
      { target: '/app?x=1', location: './app/?x=1' },
    ])('sends $target to its folder', async ({ target, location }) => {
      const answer = await send(target);
      expect(answer.status).toBe(308);
      expect(answer.headers.location).toBe(location);
    });

    test('serves the page, its files and its API', async () => {
      expect((await send('/app/')).text).toContain('over <em>SCGI</em>');
      expect((await send('/app/assets/scgi.txt')).body.equals(textFile)).toBe(true);
      const note = { headers: { 'Content-Type': 'application/json' }, body: '{"text":"x"}' };
      expect((await send('/app/api/notes', note)).status).toBe(201);
    });

    test('does not answer for a path that only begins alike', async () => {
      expect((await send('/appzzz/request')).status).toBe(404);
    });
  });
});
