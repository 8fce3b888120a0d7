// What an Express application sees over SCGI, in both versions of Express: the facts come from the front end, the mount
// point from the adapter, and nothing from `trust proxy`.

import { createRequire } from 'node:module';
import { serveScgi } from '@scgi/adapter-express';
import type { ServeOptions } from '@scgi/adapter-express';
import { rawRequest } from '@scgi/testing';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';

// Express 4 has no types of its own here; what is used is the same.
const express4: typeof express = createRequire(import.meta.url)('express4');

const variables = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/app/where?q=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REMOTE_ADDR: '192.0.2.7',
  REMOTE_PORT: '4711',
  HTTPS: 'on',
  HTTP_HOST: 'example.com:8443',
  HTTP_X_FORWARDED_FOR: '198.51.100.66',
  HTTP_X_FORWARDED_PROTO: 'http',
  HTTP_X_FORWARDED_HOST: 'evil.test',
};

describe.each([
  ['Express 5', express],
  ['Express 4', express4],
])('%s', (_name, create) => {
  async function ask(
    build: (app: express.Express) => void,
    options: ServeOptions = {},
    overrides: Record<string, string> = {},
  ): Promise<{ status: number | undefined; text: string }> {
    const app = create();
    app.set('env', 'test');
    build(app);
    const server = await serveScgi(app, { bind: 0, ...options });
    onTestFinished(() => server.close({ timeout: 0 }));
    const answer = await rawRequest(server.endpoints[0]?.address ?? '', { variables: { ...variables, ...overrides } });
    return { status: answer.status, text: answer.body.toString() };
  }

  const mirror = (app: express.Express): void => {
    app.use((req, res) => {
      const { ip, protocol, secure, hostname, originalUrl, baseUrl, url } = req;
      res.json({ ip, protocol, secure, hostname, originalUrl, baseUrl, url });
    });
  };

  test('takes address, scheme and host from the front end, whatever the client claims', async () => {
    expect(JSON.parse((await ask(mirror)).text)).toEqual({
      ip: '192.0.2.7',
      protocol: 'https',
      secure: true,
      hostname: 'example.com',
      originalUrl: '/app/where?q=1',
      baseUrl: '',
      url: '/app/where?q=1',
    });
  });

  test.each([
    ['a fixed prefix', '/app', {}],
    ['the SCRIPT_NAME of the front end', 'SCRIPT_NAME', { SCRIPT_NAME: '/app', PATH_INFO: '/where' }],
  ])('is mounted below %s as under app.use()', async (_what, basePath, overrides) => {
    const { text } = await ask(
      (app) => void app.use('/where', create.Router().get('/', mirrorOne)),
      { basePath },
      overrides,
    );
    expect(JSON.parse(text)).toEqual({ originalUrl: '/app/where?q=1', baseUrl: '/app/where', url: '/?q=1' });
  });

  const mirrorOne: express.RequestHandler = ({ originalUrl, baseUrl, url }, res) => {
    res.json({ originalUrl, baseUrl, url });
  };

  test('does not see requests outside of its prefix', async () => {
    expect(await ask(mirror, { basePath: '/other' })).toMatchObject({ status: 404, text: '' });
  });

  test('answers for a route that throws', async () => {
    const answer = await ask((app) => {
      app.get('/app/where', () => {
        throw new Error('secret');
      });
    });
    expect(answer.status).toBe(500);
  });

  test('finds the SCGI variables beside the headers', async () => {
    const { text } = await ask((app) => void app.use((req, res) => void res.json(req.scgi.env['REMOTE_PORT'])));
    expect(JSON.parse(text)).toBe('4711');
  });
});
