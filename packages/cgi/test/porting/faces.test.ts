// A function in the place of a CGI program, in every kind of application.

import { once } from 'node:events';
import middie from '@fastify/middie';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';
import { describe, expect, test } from 'vitest';
import { cgiHandler, type CgiFunction } from '../../src/index.js';
import { startStage, type Stage } from '../support/stage.js';

/** Tells what it was called for. */
const tell: CgiFunction = async (environ, stdin, stdout) => {
  let body = '';
  for await (const text of stdin.setEncoding('utf8')) body += text;
  const { REQUEST_METHOD, SCRIPT_NAME, PATH_INFO = '', QUERY_STRING, REQUEST_URI } = environ;
  stdout.write('Status: 201 Told\nContent-Type: text/plain\nX-Told: yes\n\n');
  stdout.write([REQUEST_METHOD, SCRIPT_NAME, PATH_INFO, QUERY_STRING, REQUEST_URI, body].join(' '));
};
const told = 'POST /app /x q=1 /app/x?q=1 body';

const kinds: readonly [name: string, start: () => Promise<Stage>][] = [
  ['a plain server', () => startStage(cgiHandler(tell, { mount: '/app' }))],
  ['Express', () => startStage(express().use('/app', cgiHandler(tell)))],
  ['Koa', () => startStage(new Koa().use(cgiHandler(tell, { mount: '/app' }).koa).callback())],
  [
    'Fastify with middie',
    async () => {
      const app = fastify();
      await app.register(middie);
      app.use('/app', cgiHandler(tell));
      await app.ready();
      return startStage(app.routing);
    },
  ],
];

test.each(kinds)('it answers in %s', async (_name, start) => {
  const { ask } = await start();
  const answer = await ask({ method: 'POST', path: '/app/x?q=1', body: 'body' });
  expect(answer).toMatchObject({ status: 201, text: told });
  expect(answer.fields).toContain('X-Told');
});

test('it answers a Request', async () => {
  const { fetch } = cgiHandler(tell, { mount: '/app' });
  const headers = { 'Content-Length': '4' };
  const response = await fetch(new Request('http://x.test/app/x?q=1', { method: 'POST', body: 'body', headers }));
  expect([response.status, response.headers.get('x-told'), await response.text()]).toEqual([201, 'yes', told]);
});

describe('a Request', () => {
  test('streams its body in and the answer out', async () => {
    const { fetch } = cgiHandler((_environ, stdin, stdout) => {
      stdout.write('Content-Type: text/plain\n\n');
      stdin.pipe(stdout);
    });
    const body = 'ä'.repeat(500_000);
    const headers = { 'Content-Length': String(Buffer.byteLength(body)) };
    const response = await fetch(new Request('http://x.test/', { method: 'POST', body, headers }));
    expect(await response.text()).toBe(body);
  });

  test('that is aborted aborts the signal of the function', async () => {
    const leaving = new AbortController();
    const seen: unknown[] = [];
    const { fetch } = cgiHandler(async (_environ, _stdin, _stdout, { signal, request }) => {
      seen.push(request);
      await once(signal, 'abort');
      seen.push(signal.reason);
    });
    const request = new Request('http://x.test/', { signal: leaving.signal });
    const response = fetch(request);
    await expect.poll(() => seen.length).toBe(1);
    leaving.abort(new Error('left'));
    await expect(response).rejects.toThrow('left');
    await expect.poll(() => seen).toMatchObject([request, { code: 'ERR_SCGI_CLIENT_GONE' }]);
  });

  test('for which the function fails is a 500, and once there is a Response its body errors', async () => {
    const codes: string[] = [];
    let fail = (): void => {};
    const failing = new Promise<void>((resolve) => (fail = resolve));
    const { fetch } = cgiHandler(
      async (environ, _stdin, stdout) => {
        if (environ['PATH_INFO'] !== '/') stdout.write('Content-Type: text/plain\n\nhalf');
        if (environ['PATH_INFO'] === '/late') await failing;
        throw new Error('a bug');
      },
      { onError: ({ code }) => void codes.push(code) },
    );
    for (const path of ['/', '/at-once']) expect((await fetch(new Request(`http://x.test${path}`))).status).toBe(500);
    const late = await fetch(new Request('http://x.test/late'));
    expect(late.status).toBe(200);
    fail();
    await expect(late.text()).rejects.toThrow();
    expect(codes).toEqual(Array(3).fill('ERR_SCGI_PROGRAM_FAILED'));
  });
});

test('what is not its own goes to whoever comes next', async () => {
  const handler = cgiHandler(tell, { mount: '/app' });
  const app = express()
    .use(handler)
    .use((_request, response) => void response.end('next'));
  const { ask } = await startStage(app);
  for (const path of ['/', '/apps', '/app/../x', '/app/a%2fb']) expect((await ask({ path })).text).toBe('next');
  const koa = new Koa().use(handler.koa).use((ctx) => (ctx.body = 'next'));
  expect((await (await startStage(koa.callback())).ask({ path: '/apps' })).text).toBe('next');
  expect((await (await startStage(handler)).ask({ path: '/apps' })).status).toBe(404);
});

test('close() refuses what comes later, and lets calls that run go on', async () => {
  let go: (() => void) | undefined;
  const codes: string[] = [];
  const handler = cgiHandler(
    async (_environ, _stdin, stdout) => {
      await new Promise<void>((resolve) => (go = resolve));
      stdout.write('Content-Type: text/plain\n\nall');
    },
    { onError: ({ code }) => void codes.push(code) },
  );
  const { ask } = await startStage(handler);
  const running = ask();
  await expect.poll(() => go).toBeDefined();
  handler.close();
  expect((await ask()).status).toBe(503);
  go?.();
  expect((await running).text).toBe('all');
  expect(codes).toEqual(['ERR_SCGI_SERVER_CLOSING']);
});

test('the same function serves many requests at once, each with streams of its own', async () => {
  const { ask } = await startStage(cgiHandler(tell));
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => ask({ method: 'POST', path: `/${index}`, body: `b${index}` })),
  );
  expect(answers.map(({ text }) => text)).toEqual(
    Array.from({ length: 100 }, (_, index) => `POST  /${index}  /${index} b${index}`),
  );
});
