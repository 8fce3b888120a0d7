// A signal, at every stage of a request.

import { getEventListeners, once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { scgi, ScgiClient } from '../src/index.js';
import { startBackend } from './support/backend.js';
import { rejection } from './support/rejection.js';
import { turns, until } from './support/within.js';

const reason = new Error('enough');

test('already aborted: nothing is sent, and a body that was given is destroyed', async () => {
  const backend = await startBackend();
  const client = new ScgiClient(backend.target);
  for (const contentLength of [undefined, 1]) {
    const body = Readable.from(['x']);
    expect(await rejection(client.request({ body, contentLength, signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(body.destroyed).toBe(true);
  }
  expect(backend.connections).toHaveLength(0);
});

test('while a body is kept', async () => {
  const controller = new AbortController();
  const body = new PassThrough();
  body.write('x');
  const failed = rejection(scgi(1, { body, signal: controller.signal }));
  await turns(5);
  controller.abort(reason);
  expect(await failed).toBe(reason);
  expect(body.destroyed).toBe(true);
});

test('while it connects', async () => {
  const backend = await startBackend(() => {}, { tcp: true });
  const client = new ScgiClient(backend.target);
  const controller = new AbortController();
  const failed = rejection(client.request({ signal: controller.signal }));
  // The kernel tells of the connection with the next turn of the event loop at the earliest.
  expect(client.backend.connections).toBe(1);
  controller.abort(reason);
  expect(await failed).toBe(reason);
  await until('the slot is free', () => client.backend.connections === 0);
});

test('while it sends', async () => {
  const backend = await startBackend();
  const controller = new AbortController();
  const body = new PassThrough();
  body.write('abc');
  const failed = rejection(scgi(backend.target, { body, contentLength: 100, signal: controller.signal }));
  const connection = await backend.connection();
  await until('something of the body is there', () => connection.bodyBytes === 3);
  controller.abort(reason);
  expect(await failed).toBe(reason);
  await connection.closed();
  expect(body.destroyed).toBe(true);
});

test('while it waits for the answer', async () => {
  const backend = await startBackend();
  const controller = new AbortController();
  const failed = rejection(scgi(backend.target, { signal: controller.signal }));
  const connection = await backend.connection();
  await connection.body();
  controller.abort(reason);
  expect(await failed).toBe(reason);
  await connection.closed();
});

test.each(['text', 'json', 'bytes'] as const)('while %s() reads', async (read) => {
  const backend = await startBackend((connection) => connection.socket.write('Status: 200 OK\r\n\r\nfirst'));
  const controller = new AbortController();
  const response = await scgi(backend.target, { signal: controller.signal });
  const failed = rejection(response[read]());
  controller.abort(reason);
  expect(await failed).toBe(reason);
  await (await backend.connection()).closed();
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
});

test('while nobody reads yet', async () => {
  const backend = await startBackend((connection) => connection.socket.write('Status: 200 OK\r\n\r\nfirst'));
  const controller = new AbortController();
  const response = await scgi(backend.target, { signal: controller.signal });
  controller.abort(reason);
  await (await backend.connection()).closed();
  expect(await rejection(response.text())).toBe(reason);
});

test('while a tunnel is open', async () => {
  const backend = await startBackend((connection) => connection.socket.write('Status: 101 Switching\r\n\r\n'));
  const controller = new AbortController();
  const { socket } = await scgi(backend.target, { signal: controller.signal });
  if (socket === undefined) throw new Error('no socket');
  const failed = rejection(once(socket, 'data'));
  socket.on('error', () => {});
  controller.abort(reason);
  expect(await failed).toBe(reason);
  await (await backend.connection()).closed();
});

test.each([null, 'a string', 5])('with %j, which is no error', async (value) => {
  const backend = await startBackend((connection) => connection.socket.write('Status: 200 OK\r\n\r\nfirst'));
  const controller = new AbortController();
  const response = await scgi(backend.target, { signal: controller.signal });
  const text = rejection(response.text());
  controller.abort(value);
  expect(await text).toMatchObject({ code: 'ERR_SCGI_CLIENT_GONE', cause: value });
  expect(await rejection(scgi(backend.target, { signal: controller.signal }))).toBe(value);
});

test('a signal of many requests gathers no listeners', async () => {
  const backend = await startBackend((connection) => connection.answer('Status: 200 OK\r\nContent-Length: 0\r\n\r\n'));
  const client = new ScgiClient(backend.target);
  const { signal } = new AbortController();
  for (let round = 0; round < 30; round += 1) await (await client.request({ signal })).text();
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
