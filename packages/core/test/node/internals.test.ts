// The contract with Node's private side: each field that node/internals.ts touches, asserted by what it does. When a
// new Node line breaks one of these, the name of the test says which.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { detachAbortSignal, dumpUnread, setRequestFields } from '../../src/node/internals/request.js';
import {
  copyUniqueFields,
  extendResponse,
  emitClose,
  headLength,
  prepareResponse,
  bodyLength,
  replaceHead,
  storeHead,
  takeNeedDrain,
} from '../../src/node/internals/response.js';
import {
  overlayEndpoints,
  readInto,
  resetOnDestroy,
  stopFlowing,
  takenBytes,
} from '../../src/node/internals/socket.js';
import { VirtualSocket } from '../../src/node/internals/virtual-socket.js';
import { interimWriters, silenceInformation } from '../../src/node/interim-responses.js';

/** A socket that keeps what is written and takes nothing while `blocked`. */
class Sink extends Duplex {
  text = '';
  blocked = false;
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString('latin1');
    if (!this.blocked) callback();
  }
}

function cgi(this: http.ServerResponse, line: string, headers: Parameters<typeof storeHead>[2]): void {
  replaceHead(this, storeHead(this, line.replace('HTTP/1.1', 'Status:'), headers));
}

const CgiResponse = extendResponse(http.ServerResponse, {
  storeHeader: cgi,
  end: http.ServerResponse.prototype.end,
  interim: interimWriters,
  key: Symbol('test'),
});

function pair(): { sink: Sink; socket: net.Socket; request: http.IncomingMessage; response: http.ServerResponse } {
  const sink = new Sink({ highWaterMark: 10 });
  // The http classes ask of their socket no more than a Duplex has.
  const socket = sink as unknown as net.Socket;
  const request = new http.IncomingMessage(socket);
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  const response = new CgiResponse(request, { rejectNonStandardBodyWrites: false });
  return { sink, socket, request, response };
}

describe('the private side of a response', () => {
  it('_storeHeader as an own property formats every head, explicit and implicit', () => {
    for (const explicit of [true, false]) {
      const { sink, socket, response } = pair();
      prepareResponse(response);
      response.assignSocket(socket);
      if (explicit) response.writeHead(200, { 'x-a': 'b' });
      else response.setHeader('x-a', 'b');
      response.end('ok');
      expect(sink.text).toMatch(/^Status: 200 OK\r\nx-a: b\r\n[\s\S]*\r\n\r\nok$/);
    }
  });

  it('_storeHeader survives a change of the prototype, as Express makes one', () => {
    const { sink, socket, response } = pair();
    prepareResponse(response);
    response.assignSocket(socket);
    Object.setPrototypeOf(response, Object.create(http.ServerResponse.prototype) as object);
    response.end();
    expect(sink.text).toMatch(/^Status: 200 OK\r\n/);
  });

  it('chunkedEncoding false after the head leaves a streamed body unframed', () => {
    const { sink, socket, response } = pair();
    prepareResponse(response);
    response.assignSocket(socket);
    response.write('a');
    response.end('b');
    expect(sink.text).toMatch(/\r\n\r\nab$/);
  });

  it('useChunkedEncodingByDefault true gives an HTTP/1.0 response its Content-Length', () => {
    const { sink, socket, request } = pair();
    request.httpVersionMinor = 0;
    const response = new CgiResponse(request, { rejectNonStandardBodyWrites: false });
    prepareResponse(response);
    response.assignSocket(socket);
    response.end('abc');
    expect(sink.text).toContain('Content-Length: 3\r\n');
  });

  it('_header is the formatted head, and its length the bytes of it', () => {
    const { response } = pair();
    expect(headLength(response)).toBe(0);
    const text = storeHead(response, 'HTTP/1.1 200 OK\r\n', undefined);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    expect(headLength(response)).toBe(text.length);
  });

  it.each<[string, (response: http.ServerResponse) => void, number | string]>([
    ['an explicit Content-Length', (res) => res.writeHead(200, { 'content-length': 7 }), 7],
    ['the length of a one-shot end', (res) => res.end('four'), 4],
    ['nothing of a streamed body', (res) => res.write('x'), 'open'],
    ['nothing of a 304', (res) => res.writeHead(304, { 'content-length': 7 }), 'unstated'],
    [
      'nothing after Content-Length was removed',
      (res) => res.removeHeader('content-length') ?? res.end('x'),
      'unstated',
    ],
  ])('_contentLength, _hasBody and _removedContLen tell %s', (_name, act, expected) => {
    const { socket, response } = pair();
    response.assignSocket(socket);
    act(response);
    expect(bodyLength(response)).toBe(expected);
  });

  it('kNeedDrain is set by a blocked write, and clearing it lets a later pipe go on', () => {
    const { sink, socket, response } = pair();
    response.assignSocket(socket);
    sink.blocked = true;
    expect(response.write('x'.repeat(100))).toBe(false);
    expect(response.writableNeedDrain).toBe(true);
    expect(takeNeedDrain(response)).toBe(true);
    expect(response.writableNeedDrain).toBe(false);
    expect(takeNeedDrain(response)).toBe(false);
  });

  it('kUniqueHeaders on the response joins what would be repeated', () => {
    const { sink, socket, response } = pair();
    copyUniqueFields(http.createServer({ uniqueHeaders: ['x-list'] }), response);
    response.assignSocket(socket);
    response.setHeader('x-list', ['1', '2']);
    response.end();
    expect(sink.text).toContain('x-list: 1; 2\r\n');
  });

  it('_closed and destroyed: close is emitted once, and the response is destroyed', () => {
    const { response } = pair();
    let closed = 0;
    response.on('close', () => (closed += 1));
    emitClose(response);
    emitClose(response);
    expect(closed).toBe(1);
    expect(response.destroyed).toBe(true);
  });
});

describe('interim responses', () => {
  it.each<[string, (response: http.ServerResponse, done: () => void) => void]>([
    ['writeContinue', (res, done) => res.writeContinue(done)],
    ['writeProcessing', (res, done) => res.writeProcessing(done)],
    ['writeEarlyHints', (res, done) => res.writeEarlyHints({ link: '</a>; rel=preload' }, done)],
    [
      'writeInformation',
      (res, done) => {
        // Node 24 has it; before, calling back is all there is to check.
        const method: unknown = Reflect.get(res, 'writeInformation');
        if (typeof method === 'function') Reflect.apply(method, res, [110, {}, done]);
        else done();
      },
    ],
  ])('%s sends nothing and calls back', async (_name, act) => {
    const { sink, socket, response } = pair();
    prepareResponse(response);
    silenceInformation(response);
    response.assignSocket(socket);
    await new Promise<void>((resolve) => act(response, resolve));
    expect(sink.text).toBe('');
    response.end('ok');
    expect(sink.text).toMatch(/^Status: 200 OK/);
  });

  it('writeEarlyHints still refuses what Node refuses', () => {
    const { response } = pair();
    silenceInformation(response);
    expect(() => response.writeEarlyHints({ link: 'no link' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
    );
  });
});

describe('the private side of a request', () => {
  it('_addHeaderLines keeps headers lazy and follows the duplicate rules', () => {
    const { request } = pair();
    setRequestFields(request, ['x-a', '1', 'x-a', '2', 'cookie', 'a', 'cookie', 'b', 'host', 'h']);
    expect(request.rawHeaders).toHaveLength(10);
    expect(request.headers).toEqual({ 'x-a': '1, 2', cookie: 'a; b', host: 'h' });
    expect(request.headersDistinct['x-a']).toEqual(['1', '2']);
  });

  it('_dump discards a body nobody reads and says so', async () => {
    const { request } = pair();
    request.push('unread');
    expect(dumpUnread(request)).toBe(true);
    request.complete = true;
    request.push(null);
    await once(request, 'end');
    expect(request.readableLength).toBe(0);
  });

  it.each<[string, (request: http.IncomingMessage) => void]>([
    ['a data listener', (request) => request.on('data', () => {})],
    ['read()', (request) => request.read()],
  ])('_consuming leaves a body alone that is read by %s', (_name, act) => {
    const { request } = pair();
    act(request);
    expect(dumpUnread(request)).toBe(false);
  });

  it("a body that somebody has paused and left is nobody's", () => {
    const { request } = pair();
    const onData = (): void => {};
    request.push('begun');
    expect(String(request.read())).toBe('begun');
    request.on('data', onData);
    request.pause();
    expect(dumpUnread(request)).toBe(false);
    request.off('data', onData);
    expect(dumpUnread(request)).toBe(true);
  });

  it('kDetachAbortSignal keeps req.signal from aborting, where there is one', async () => {
    const { request, sink } = pair();
    const signal: unknown = Reflect.get(request, 'signal');
    detachAbortSignal(request);
    request.complete = true;
    request.push(null);
    request.resume();
    await once(request, 'end');
    sink.destroy();
    await once(sink, 'close');
    if (signal instanceof AbortSignal) expect(signal.aborted).toBe(false);
    else expect(signal).toBeUndefined();
  });
});

describe('the private side of a socket', () => {
  async function sockets(): Promise<{ near: net.Socket; far: net.Socket }> {
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const far = net.connect(address.port, '127.0.0.1');
    const [near] = (await accepted) as [net.Socket];
    onTestFinished(() => {
      near.destroy();
      far.destroy();
      server.close();
    });
    return { near, far };
  }

  it('_getpeername and _getsockname decide what the addresses say, also after the end', async () => {
    const { near } = await sockets();
    overlayEndpoints(
      near,
      () => ({ address: '192.0.2.1', port: 1, family: 'IPv4' }),
      () => ({ address: '2001:db8::1', port: 2, family: 'IPv6' }),
    );
    const said = (): unknown[] => [
      near.remoteAddress,
      near.remotePort,
      near.remoteFamily,
      near.localAddress,
      near.localPort,
      near.localFamily,
    ];
    const expected = ['192.0.2.1', 1, 'IPv4', '2001:db8::1', 2, 'IPv6'];
    expect(said()).toEqual(expected);
    near.destroy();
    await once(near, 'close');
    expect(said()).toEqual(expected);
  });

  it('resetAndClosing makes destroy a reset', async () => {
    const { near, far } = await sockets();
    const failed = once(far, 'error');
    far.resume();
    expect(resetOnDestroy(near)).toBe(true);
    near.destroy();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });

  it('kBuffer, kBufferCb and kBufferGen make a socket read into memory that it is given, one piece after the other', async () => {
    const { near, far } = await sockets();
    const [first, second] = [Buffer.alloc(4), Buffer.alloc(64)];
    const seen: string[] = [];
    const done = new Promise<void>((resolve) => {
      const onRead = (length: number, buffer: Uint8Array): void => {
        seen.push(`${buffer === first ? 'first' : 'second'} ${Buffer.from(buffer.subarray(0, length)).toString()}`);
        if (seen.join('').endsWith('9')) resolve();
      };
      expect(readInto(near, first, onRead, () => second)).toBe(true);
    });
    far.write('0123456789');
    await done;
    expect(seen).toEqual(['first 0123', 'second 456789']);
    // Taken over: what comes now waits for whoever listens.
    stopFlowing(near, (length, buffer) => near.push(Buffer.from(buffer.subarray(0, length))));
    far.write('more');
    await once(near, 'readable');
    expect(String(near.read())).toBe('more');
  });

  it('a socket that somebody reads already is left to him', async () => {
    const { near } = await sockets();
    near.on('data', () => {});
    expect(
      readInto(
        near,
        Buffer.alloc(4),
        () => {},
        () => undefined,
      ),
    ).toBe(false);
    expect(
      readInto(
        new Sink() as unknown as net.Socket,
        Buffer.alloc(4),
        () => {},
        () => undefined,
      ),
    ).toBe(false);
  });

  it('a stream without a handle has no reset', () => {
    expect(resetOnDestroy(new Sink() as unknown as net.Socket)).toBe(false);
  });

  it('writeQueueSize tells how far a slow peer is in one large write', async () => {
    const { near, far } = await sockets();
    far.pause();
    near.write(Buffer.alloc(20_000_000));
    const before = takenBytes(near);
    expect(before).toBeLessThan(19_000_000);
    far.resume();
    await once(far, 'data');
    while (takenBytes(near) <= before) await new Promise((resolve) => setImmediate(resolve));
    expect(takenBytes(near)).toBeGreaterThan(before);
  });
});

describe('the private side of a socket on a handle of its own', () => {
  class Virtual extends VirtualSocket {
    readonly text: string[] = [];
    readonly ends: boolean[] = [];
    override _read(): void {}
    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      this.text.push(chunk.toString());
      this.countWritten(chunk.length);
      done();
    }
    override _final(done: () => void): void {
      done();
    }
    receive(text: string): void {
      this.countRead(text.length);
      this.push(text);
    }
    protected override closeEnds(broken: boolean, onClosed: () => void): void {
      this.ends.push(broken);
      setImmediate(onClosed);
    }
  }

  it('reads, writes and counts without a descriptor', async () => {
    const socket = new Virtual();
    const data = once(socket, 'data');
    socket.receive('hello');
    expect(String((await data)[0])).toBe('hello');
    await new Promise((resolve) => socket.write('world', resolve));
    expect(socket.text).toEqual(['world']);
    expect([socket.bytesRead, socket.bytesWritten, takenBytes(socket)]).toEqual([5, 5, 5]);
    socket.destroy();
    await once(socket, 'close');
    expect([socket.bytesRead, socket.bytesWritten]).toEqual([5, 5]);
    expect(socket.ends).toEqual([false]);
  });

  it('stays open for writing behind the end of what it reads', async () => {
    const socket = new Virtual();
    socket.push(null);
    socket.resume();
    await once(socket, 'end');
    expect(socket.writable).toBe(true);
    socket.destroy();
  });

  it('_unrefTimer starts the clock of setTimeout again with each byte', async () => {
    const socket = new Virtual();
    const timeout = once(socket, 'timeout').then(() => performance.now());
    socket.setTimeout(1500);
    // Long before, even on a busy machine; this also keeps the process alive.
    await setTimeout(300);
    const byteAt = performance.now();
    socket.receive('x');
    const alive = setInterval(() => {}, 1000);
    expect((await timeout) - byteAt).toBeGreaterThan(1450);
    clearInterval(alive);
    socket.destroy();
  });

  it('resetAndClosing calls `reset` of the handle', async () => {
    for (const reset of [
      (socket: Virtual) => void socket.resetAndDestroy(),
      (socket: Virtual) => void (resetOnDestroy(socket) && socket.destroy()),
    ]) {
      const socket = new Virtual();
      reset(socket);
      await once(socket, 'close');
      expect(socket.ends).toEqual([true]);
    }
  });
});
