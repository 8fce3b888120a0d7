// One exchange without HTTP around it.

import type { ResponseHead, ScgiError } from '@scgi/core/protocol';
import { encodeRequest, ResponseDecoder } from '@scgi/core/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Exchange, type ExchangeHandler, type ExchangeRequest } from '../src/exchange/exchange.js';
import { ReadBlocks } from '../src/exchange/read-blocks.js';
import { type BackendTarget, parseTarget } from '../src/exchange/target.js';
import { answering, startBackend } from './support/backend.js';
import { turns, until, within } from './support/within.js';

const settings = { connectTimeout: 0, firstByteTimeout: 0, idleTimeout: 0, halfClose: false };

/** Writes down what it hears. */
class Recorder implements ExchangeHandler<ResponseHead> {
  readonly calls: string[] = [];
  readonly over: Promise<void>;
  readonly #settle: () => void;

  constructor() {
    const { promise, resolve } = withResolvers();
    this.over = within('the end of the exchange', promise);
    this.over.catch(() => {}); // Only the tests that wait for it care.
    this.#settle = resolve;
  }
  onConnect(): void {
    this.calls.push('connect');
  }
  onDrain(): void {
    this.calls.push('drain');
  }
  onHead(head: ResponseHead): void {
    this.calls.push(`head ${head.status}`);
  }
  onBody(data: Uint8Array): boolean {
    this.calls.push(`body ${Buffer.from(data).toString()}`);
    return true;
  }
  onEnd(): void {
    this.calls.push('end');
    this.#settle();
  }
  onError(error: ScgiError): void {
    this.calls.push(error.code);
    this.#settle();
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function start(target: string, handler: Recorder, bodyLength = 0): Exchange<ResponseHead> {
  const head = encodeRequest(['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'], bodyLength);
  const exchange = open(target, { head, body: undefined, bodyLength }, handler);
  onTestFinished(() => exchange.destroy());
  return exchange;
}

function open(target: BackendTarget, request: ExchangeRequest, handler: Recorder): Exchange<ResponseHead> {
  const address = parseTarget(target);
  return new Exchange(address, request, new ResponseDecoder(), settings, handler, new ReadBlocks(), () => {});
}

test('tells connect, head, body and end in this order', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 2\r\n\r\nok and more');
  const handler = new Recorder();
  start(target, handler);
  await handler.over;
  expect(handler.calls).toEqual(['connect', 'head 200', 'body ok', 'end']);
});

test('tells an error once, and nothing after it', async () => {
  const { target } = await answering('Status: 200 OK\r\nContent-Length: 9\r\n\r\nok');
  const handler = new Recorder();
  start(target, handler);
  await handler.over;
  await turns(20);
  expect(handler.calls).toEqual(['connect', 'head 200', 'body ok', 'ERR_SCGI_RESPONSE_TRUNCATED']);
});

test('tells nothing once it is destroyed', async () => {
  const backend = await startBackend();
  const handler = new Recorder();
  const exchange = start(backend.target, handler);
  const connection = await backend.connection();
  await connection.body();
  exchange.destroy();
  await connection.closed();
  await turns(20);
  expect(handler.calls).toEqual(['connect']);
});

test('can be destroyed by its handler in the middle of a chunk', async () => {
  const { target } = await answering('Status: 200 OK\r\n\r\nbody');
  const handler = new (class extends Recorder {
    override onHead(head: ResponseHead): void {
      super.onHead(head);
      exchange.destroy();
    }
  })();
  const exchange = start(target, handler);
  await turns(100);
  expect(handler.calls).toEqual(['connect', 'head 200']);
});

test('refuses more body than was announced', async () => {
  const backend = await startBackend();
  const exchange = start(backend.target, new Recorder(), 4);
  expect(exchange.write(Buffer.from('abc'))).toBe(true);
  expect(() => exchange.write(Buffer.from('de'))).toThrow(
    expect.objectContaining({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' }),
  );
  exchange.write(Buffer.from('d'));
  expect((await (await backend.connection()).body()).toString()).toBe('abcd');
});

test('tells when pieces of the body are no longer wanted', async () => {
  const backend = await startBackend(({ socket }) => socket.end('Status: 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  const handler = new Recorder();
  const exchange = start(backend.target, handler, 100);
  expect(exchange.takesBody).toBe(true);
  await handler.over;
  expect(exchange.takesBody).toBe(false);
  expect(exchange.write(Buffer.alloc(50))).toBe(true);
});

test('a head waits for no body', async () => {
  const backend = await startBackend();
  start(backend.target, new Recorder(), 100);
  const connection = await backend.connection();
  await until('the head is there', () => connection.variables !== undefined);
  expect(connection.bodyBytes).toBe(0);
});

test('a body that is there leaves with its head', async () => {
  const handler = new Recorder();
  const backend = await startBackend();
  const head = encodeRequest(['REQUEST_METHOD', 'POST'], 300_000);
  const exchange = open(backend.target, { head, body: Buffer.alloc(300_000, 'x'), bodyLength: 0 }, handler);
  onTestFinished(() => exchange.destroy());
  const connection = await backend.connection();
  expect((await connection.body()).length).toBe(300_000);
});

test('reading goes on after a pause, once for each', async () => {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    connection.socket.write('Status: 200 OK\r\n\r\nfirst');
  });
  const handler = new (class extends Recorder {
    override onBody(data: Uint8Array): boolean {
      super.onBody(data);
      return false;
    }
  })();
  const exchange = start(backend.target, handler);
  await until('the first piece is there', () => handler.calls.includes('body first'));
  const { socket } = await backend.connection();
  socket.end('second');
  await turns(30);
  expect(handler.calls.at(-1)).toBe('body first');
  exchange.resume();
  await until('the second piece is there', () => handler.calls.includes('body second'));
  exchange.resume();
  exchange.resume();
  await handler.over;
  expect(handler.calls).toEqual(['connect', 'head 200', 'body first', 'body second', 'end']);
});
