// A usual stack of Express middleware, all at once and as it is, behind a real nginx.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { serveScgi } from '@scgi/adapter-express';
import compression from 'compression';
import cors from 'cors';
import express from 'express';
import session from 'express-session';
import helmet from 'helmet';
import morgan from 'morgan';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions } from '../support/http-client.js';
import { startNginx } from '../support/nginx.js';

declare module 'express-session' {
  interface SessionData {
    user: string;
  }
}

const page = 'Round and round the rugged rocks the ragged rascal ran.\n'.repeat(2_000);

function createApp(folder: string, lines: string[]): express.Express {
  const app = express();
  app.use(morgan('combined', { stream: { write: (line) => void lines.push(line.trimEnd()) } }));
  app.use(helmet(), cors({ origin: 'https://good.test', credentials: true }), compression());
  app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, cookie: { secure: 'auto' } }));
  app.use(express.static(folder), express.json({ limit: '10kb' }));
  app.post('/login', (req, res) => {
    req.session.user = req.body.user;
    res.status(201).json({ user: req.body.user });
  });
  app.get('/me', (req, res) => void res.json({ user: req.session.user ?? null, ip: req.ip }));
  return app;
}

describeWith('nginx', 'helmet, cors, compression, morgan, express-session, static and json behind nginx', () => {
  async function setUp(): Promise<{
    ask: (path: string, request?: Partial<HttpRequestOptions>) => ReturnType<typeof httpRequest>;
    lines: string[];
  }> {
    const folder = mkdtempSync(join(tmpdir(), 'scgi-stack-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'page.txt'), page);
    const lines: string[] = [];
    const app = await serveScgi(createApp(folder, lines), { bind: `unix:${join(folder, 'app.sock')}` });
    onTestFinished(() => app.close({ timeout: 0 }));
    const nginx = await startNginx({ to: app.endpoints[0]?.address ?? '' });
    onTestFinished(nginx.stop);
    return { lines, ask: (path, request = {}) => httpRequest({ origin: nginx.origin, path, ...request }) };
  }

  test('serve a visit: a file, a login, a page for who logged in, and a log of it all', async () => {
    const { ask, lines } = await setUp();

    const file = await ask('/page.txt', { headers: { 'Accept-Encoding': 'gzip', Origin: 'https://good.test' } });
    expect(gunzipSync(file.body).toString()).toBe(page);
    expect(file.headers).toMatchObject({
      'content-encoding': 'gzip',
      'access-control-allow-origin': 'https://good.test',
      'x-frame-options': 'SAMEORIGIN',
    });
    const unchanged = await ask('/page.txt', { headers: { 'If-None-Match': file.headers.etag ?? '' } });
    expect([unchanged.status, unchanged.body.byteLength]).toEqual([304, 0]);
    const part = await ask('/page.txt', { headers: { Range: 'bytes=0-4', 'Accept-Encoding': 'identity' } });
    expect([part.status, part.text]).toEqual([206, 'Round']);

    const json = { 'Content-Type': 'application/json' };
    const login = await ask('/login', { body: '{"user":"ada"}', headers: json });
    expect([login.status, login.text]).toEqual([201, '{"user":"ada"}']);
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^connect\.sid=/);
    expect((await ask('/me', { headers: { Cookie: cookie } })).text).toBe('{"user":"ada","ip":"127.0.0.1"}');
    expect((await ask('/me')).text).toBe('{"user":null,"ip":"127.0.0.1"}');

    expect((await ask('/login', { body: '{"user":', headers: json })).status).toBe(400);
    expect((await ask('/login', { body: `"${'x'.repeat(20_000)}"`, headers: json })).status).toBe(413);

    await until(() => lines.length === 8, 5_000, 'eight log lines');
    expect(lines.map((line) => /"([^"]+)" (\d+)/.exec(line)?.slice(1).join(' '))).toEqual([
      'GET /page.txt HTTP/1.1 200',
      'GET /page.txt HTTP/1.1 304',
      'GET /page.txt HTTP/1.1 206',
      'POST /login HTTP/1.1 201',
      'GET /me HTTP/1.1 200',
      'GET /me HTTP/1.1 200',
      'POST /login HTTP/1.1 400',
      'POST /login HTTP/1.1 413',
    ]);
    expect(lines.every((line) => line.startsWith('127.0.0.1 - - ['))).toBe(true);
  });

  test('take a POST of length 0 as over HTTP: json makes an empty object of it', async () => {
    const { ask } = await setUp();
    const headers = { 'Content-Type': 'application/json', 'Content-Length': '0' };
    const answer = await ask('/login', { method: 'POST', headers });
    expect([answer.status, answer.text]).toEqual([201, '{}']);
  });
});
