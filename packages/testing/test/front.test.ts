// A front as tests of applications use it: over supertest, over fetch, around any listener.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express from 'express';
import request from 'supertest';
import { expect, onTestFinished, test } from 'vitest';
import { createFront, type Front, type FrontOptions } from '../src/index.js';

// Without types of its own; what is used of it here is the same in both.
const express4: typeof express = createRequire(import.meta.url)('express4');

async function front(app: Parameters<typeof createFront>[0], options?: FrontOptions): Promise<Front> {
  const running = await createFront(app, options);
  onTestFinished(() => running.close());
  return running;
}

test.each([
  ['Express 5', express],
  ['Express 4', express4],
])('supertest drives %s', async (_, framework) => {
  const app = framework();
  app.use(framework.json());
  app.get('/who', (req, res) => {
    res.cookie('a', '1').cookie('b', '2').json({ ip: req.ip, protocol: req.protocol, hostname: req.hostname });
  });
  app.post('/echo', (req, res) => {
    res.status(201).json({ got: req.body, url: req.originalUrl });
  });
  app.get('/old', (_req, res) => res.redirect('/new'));
  const { server } = await front(app);

  const who = await request(server).get('/who').set('Host', 'example.org').expect(200);
  expect(who.body).toEqual({ ip: '127.0.0.1', protocol: 'http', hostname: 'example.org' });
  expect(who.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Path=/']);
  await request(server)
    .post('/echo?x=1')
    .send({ n: 1 })
    .expect(201, { got: { n: 1 }, url: '/echo?x=1' });
  await request(server).get('/old').expect(302).expect('Location', '/new');
  await request(server).get('/missing').expect(404);
  await request(server).head('/who').expect(200);
});

test('fetch takes the url', async () => {
  const { url } = await front((_request, response) => response.end('hello'));
  expect(await (await fetch(`${url}/x`)).text()).toBe('hello');
});

test('puts an HTTP side before an SCGI server that runs already', async () => {
  const first = await front((_request, response) => response.end('one app'));
  const second = await front(first.target);
  expect(await (await fetch(second.url)).text()).toBe('one app');
  await second.close();
  expect(await (await fetch(first.url)).text()).toBe('one app');
});

test('passes options to both sides', async () => {
  const failures: unknown[] = [];
  const { url } = await front(
    (req, res) => {
      if (req.url === '/fail') throw new Error('told');
      res.end(req.headers.host);
    },
    {
      http: { maxSpooledBody: 0, onError: (error) => failures.push(error.code) },
      scgi: { onError: (error) => failures.push(error instanceof Error && error.message) },
    },
  );
  expect((await fetch(`${url}/fail`)).status).toBe(500);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(1));
      controller.close();
    },
  });
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' };
  expect((await fetch(url, init)).status).toBe(411);
  expect(failures).toEqual(['told', 'ERR_SCGI_LENGTH_REQUIRED']);
});

test('close breaks off what is open, removes the socket, and may be called twice', async () => {
  const running = await createFront((_request, response) => {
    response.write('never ends');
  });
  const response = await fetch(running.url);
  const socketFile = String(running.target).replace('unix:', '');
  const closing = running.close();
  await expect(response.text()).rejects.toThrow();
  await closing;
  await running[Symbol.asyncDispose]();
  expect(existsSync(dirname(socketFile))).toBe(false);
  await expect(fetch(running.url)).rejects.toThrow();
});

test('an option that cannot be leaves nothing behind', async () => {
  await expect(createFront(() => {}, { http: { maxHeadBytes: -1 } })).rejects.toMatchObject({
    code: 'ERR_SCGI_OPTION',
  });
  await expect(createFront('nonsense:')).rejects.toMatchObject({ code: 'ERR_SCGI_OPTION' });
});
