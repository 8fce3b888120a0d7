// examples/gateway-express and examples/gateway-fastify: routes of their own, a Python backend below /api, and the end.

import { existsSync } from 'node:fs';
import { expect, onTestFinished, test, afterAll, beforeAll } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { childrenOf } from '../support/leaks.js';
import { startHttpExample, type HttpExample } from './support/example-program.js';

describeWith('python', 'the example of a gateway in Express', () => {
  let example: HttpExample;
  beforeAll(async () => {
    example = await startHttpExample('gateway-express');
  });
  afterAll(async () => void (await example?.stop()));

  test('answers by itself outside of /api', async () => {
    expect(await (await fetch(example.origin)).text()).toBe('Express is here, Python is below /api\n');
    expect((await fetch(`${example.origin}/apis`)).status).toBe(404);
  });

  test('hands the rest to the backend, with what Express knows', async () => {
    const headers = { authorization: 'Bearer ada', 'remote-user': 'eve', remote_user: 'eve', app_greeting: 'forged' };
    const response = await fetch(`${example.origin}/api/any/path?a=b`, {
      method: 'POST',
      headers,
      body: 'how are you',
    });
    expect(await response.json()).toEqual({
      REQUEST_METHOD: 'POST',
      SCRIPT_NAME: '/api',
      PATH_INFO: '/any/path',
      QUERY_STRING: 'a=b',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_USER: 'ada',
      APP_GREETING: 'hello',
      body: 'how are you',
    });
  });

  test('keeps out whom its middleware keeps out', async () => {
    const response = await fetch(`${example.origin}/api`, { headers: { authorization: 'Bearer mallory' } });
    expect([response.status, await response.text()]).toEqual([403, 'not you\n']);
  });
});

describeWith('python', 'the example of a gateway in Fastify', () => {
  let example: HttpExample;
  beforeAll(async () => {
    example = await startHttpExample('gateway-fastify');
  });
  afterAll(async () => void (await example?.stop()));

  test('answers by itself outside of /api', async () => {
    expect(await (await fetch(example.origin)).text()).toBe('Fastify is here, Python is below /api\n');
    expect((await fetch(`${example.origin}/apis`)).status).toBe(404);
  });

  test('hands the rest to the backend', async () => {
    const response = await fetch(`${example.origin}/api/any/path?a=b`, { method: 'POST', body: 'how are you' });
    expect(await response.json()).toMatchObject({
      REQUEST_METHOD: 'POST',
      SCRIPT_NAME: '/api',
      PATH_INFO: '/any/path',
      QUERY_STRING: 'a=b',
      body: 'how are you',
    });
  });

  test('passes an upload on that is larger than what Fastify takes by itself', async () => {
    const body = 'x'.repeat(5_000_000);
    const response = await fetch(`${example.origin}/api`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body,
    });
    expect(await response.json()).toMatchObject({ REQUEST_METHOD: 'PUT', body });
  });
});

describeWith('python', 'both examples', () => {
  const names = ['gateway-express', 'gateway-fastify'];

  test.each(names)('%s ends its backend with itself', async (name) => {
    const example = await startHttpExample(name);
    onTestFinished(async () => void (await example.stop()));
    const [backend = 0] = childrenOf(example.pid);
    expect(existsSync(`/proc/${backend}`)).toBe(true);
    expect((await httpRequest({ origin: example.origin, path: '/api' })).status).toBe(200);
    expect(await example.stop()).toBe(0);
    expect(existsSync(`/proc/${backend}`)).toBe(false);
  });

  test.each(names)('%s answers 502 when its backend is gone', async (name) => {
    const example = await startHttpExample(name);
    onTestFinished(async () => void (await example.stop()));
    const [backend = 0] = childrenOf(example.pid);
    process.kill(backend, 'SIGKILL');
    await until(() => childrenOf(example.pid).length === 0, 5_000, 'the end of the backend');
    const response = await httpRequest({ origin: example.origin, path: '/api' });
    expect([response.status, response.text]).toEqual([502, '502 Bad Gateway\n']);
    await until(() => example.output().includes('ERR_SCGI_BACKEND_UNREACHABLE'), 5_000, 'the code in its log');
    expect((await httpRequest({ origin: example.origin })).status).toBe(200);
  });
});
