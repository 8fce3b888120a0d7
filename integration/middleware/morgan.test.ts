// morgan, as it is, over SCGI: the log names the client that the front end vouches for, and the truth about the answer.

import { rawRequest } from '@scgi/testing';
import express from 'express';
import morgan from 'morgan';
import { describe, expect, test } from 'vitest';
import { until } from '../support/deadline.js';
import { abortRequest } from '../support/http-client.js';
import { serveBothWays, serveFront, send } from './support/both-ways.js';

const variables = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/page?q=1',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REMOTE_ADDR: '192.0.2.7',
  HTTP_HOST: 'example.test',
  HTTP_REFERER: 'https://elsewhere.test/',
  HTTP_USER_AGENT: 'test/1',
  HTTP_X_FORWARDED_FOR: '198.51.100.66',
};

function createApp(format: string, lines: string[], options: { immediate?: boolean } = {}): express.Express {
  const app = express();
  app.use(morgan(format, { ...options, stream: { write: (line) => void lines.push(line.trimEnd()) } }));
  app.get('/page', (_req, res) => void res.type('text').send('hello'));
  app.get('/gone', (_req, res) => void res.status(204).end());
  app.get('/broken', () => {
    throw new Error('broken');
  });
  return app;
}

async function logOf(format: string, options?: { immediate?: boolean }): Promise<string> {
  const lines: string[] = [];
  const front = await serveFront(createApp(format, lines, options));
  await rawRequest(front.target, { variables });
  await until(() => lines.length > 0, 5_000, 'a log line');
  expect(lines).toHaveLength(1);
  return lines[0] ?? '';
}

describe('morgan', () => {
  test('logs the client, not the front end and not X-Forwarded-For', async () => {
    expect(await logOf(':remote-addr')).toBe('192.0.2.7');
  });

  test('writes a combined line as Apache would', async () => {
    expect(await logOf('combined')).toMatch(
      /^192\.0\.2\.7 - - \[[^\]]+\] "GET \/page\?q=1 HTTP\/1\.1" 200 5 "https:\/\/elsewhere\.test\/" "test\/1"$/,
    );
  });

  test('writes a common line', async () => {
    expect(await logOf('common')).toMatch(/^192\.0\.2\.7 - - \[[^\]]+\] "GET \/page\?q=1 HTTP\/1\.1" 200 5$/);
  });

  test('measures the time until the head and until the end', async () => {
    const [head, total] = (await logOf(':response-time :total-time')).split(' ').map(Number);
    expect(head).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(head ?? Infinity);
  });

  test('logs before the answer if it is told to', async () => {
    expect(await logOf(':method :url :status', { immediate: true })).toBe('GET /page?q=1 -');
  });

  test.each([
    ['/page', 200, '200 5 text/plain; charset=utf-8'],
    ['/gone', 204, '204 - -'],
    ['/broken', 500, /^500 \d+ text\/html; charset=utf-8$/],
    ['/missing', 404, /^404 \d+ text\/html; charset=utf-8$/],
  ])('logs %s with its status and length as over HTTP', async (path, status, line) => {
    const logs: string[][] = [];
    const app = await serveBothWays(() => {
      const lines: string[] = [];
      logs.push(lines);
      return createApp(':status :res[content-length] :res[content-type]', lines);
    });
    const answer = await app.same((agent) => agent.get(path));
    expect(answer.status).toBe(status);
    await until(() => logs.every((lines) => lines.length === 1), 5_000, 'both log lines');
    expect(logs[1]?.[0]).toMatch(line);
    expect(logs[1]).toEqual(logs[0]);
  });

  test('logs a client that left before the answer without a status', async () => {
    const lines: string[] = [];
    const app = createApp(':method :url :status', lines);
    const reached = new Promise<void>((resolve) => {
      app.post('/slow', (req) => void req.on('end', resolve).resume());
    });
    const front = await serveFront(app);
    await abortRequest({ origin: front.url, path: '/slow' }, 'request-sent', reached);
    await until(() => lines.length > 0, 5_000, 'a log line');
    expect(lines).toEqual(['POST /slow -']);
  });

  test('knows the user of basic authentication', async () => {
    const lines: string[] = [];
    const front = await serveFront(createApp(':remote-user', lines));
    await send(front.server, (agent) => agent.get('/page').auth('ada', 'secret'));
    await until(() => lines.length > 0, 5_000, 'a log line');
    expect(lines).toEqual(['ada']);
  });
});
