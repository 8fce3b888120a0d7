// The socket of a CGI program on streams of the test's: bytes in, bytes out, back-pressure both ways, and every end.

import { once } from 'node:events';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { PassThrough, Writable } from 'node:stream';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createScgiServer } from '../../src/index.js';
import type { ScgiListener, ScgiServerOptions } from '../../src/index.js';
import { toCgiRequest } from '../../src/stdio/cgi-request.js';
import { ProcessVariables } from '../../src/env/process-variables.js';
import { StdioSocket } from '../../src/stdio/stdio-socket.js';
import { within } from '../support/raw-client.js';

/** An output that says how much it has, and takes no more while it is held. */
class Sink extends Writable {
  readonly chunks: Buffer[] = [];
  writes = 0;
  #held: (() => void)[] | undefined;

  constructor() {
    super({ highWaterMark: 16_384 });
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const done of held) done();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    this.writes += 1;
    if (this.#held === undefined) done();
    else this.#held.push(done);
  }
}

interface Exchange {
  readonly socket: StdioSocket;
  readonly input: PassThrough;
  readonly output: Sink;
  /** When the socket is closed. */
  readonly closed: Promise<unknown>;
}

function exchange(
  listener: ScgiListener,
  environment: Readonly<Record<string, string>> = {},
  options: ScgiServerOptions = {},
): Exchange {
  const variables = { REQUEST_METHOD: 'POST', REQUEST_URI: '/x', ...environment };
  const request = toCgiRequest(Object.entries(variables).flat(), new ProcessVariables());
  const input = new PassThrough();
  const output = new Sink();
  const streams = { input: request.bodyLength > 0 ? input.pause() : undefined, output };
  const socket = new StdioSocket(request, streams);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const server = createScgiServer(options, listener as (request: IncomingMessage, response: ServerResponse) => void);
  server.emit('connection', socket);
  onTestFinished(() => void socket.destroy());
  return { socket, input, output, closed };
}

const echo: ScgiListener = (request, response) => void request.pipe(response);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

describe('the body', () => {
  const body = 'hello, world';

  it.each(Array.from({ length: body.length + 1 }, (_, index) => index))(
    'may come in two pieces, cut at %i',
    async (cut) => {
      const { input, output, closed, socket } = exchange(echo, { CONTENT_LENGTH: `${body.length}` });
      if (cut > 0) input.write(body.slice(0, cut));
      await turns(3);
      if (cut < body.length) input.write(body.slice(cut));
      await within('the end', closed);
      expect(output.text).toMatch(/^Status: 200 OK\r\n\r\nhello, world$/);
      expect(socket.isAnswered).toBe(true);
    },
  );

  it('ends at its length: what comes behind it belongs to nobody, and so does the end', async () => {
    const { input, output, closed } = exchange(echo, { CONTENT_LENGTH: '5' });
    input.end('hello, world');
    await within('the end', closed);
    expect(output.text).toMatch(/\r\n\r\nhello$/);
  });

  it('that has not come to its length when the input ends is answered 400', async () => {
    const failures: unknown[] = [];
    const { input, output, closed } = exchange((request) => request.on('error', (error) => failures.push(error)), {
      CONTENT_LENGTH: '5',
    });
    input.end('hell');
    await within('the end', closed);
    expect(output.text).toMatch(/^Status: 400 Bad Request\r\n/);
    expect(output.text).toContain('ERR_SCGI_PREMATURE_EOF');
    expect(failures).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('that breaks off behind the head of the answer leaves no whole answer', async () => {
    const { input, output, closed, socket } = exchange((_, response) => void response.write('begun'), {
      CONTENT_LENGTH: '5',
    });
    await turns(3);
    expect(output.text).toMatch(/begun$/);
    input.end('hell');
    await within('the end', closed);
    expect(output.text).toMatch(/begun$/);
    expect(socket.isAnswered).toBe(false);
  });

  it('that nobody reads stays where it is', async () => {
    const { input, socket } = exchange(() => {}, { CONTENT_LENGTH: '10000000' });
    const piece = Buffer.alloc(10_000);
    let taken = 0;
    for (; taken < 100 && input.write(piece); taken += 1) await turns(2);
    expect(taken).toBeGreaterThan(1);
    expect(taken).toBeLessThan(30);
    expect(socket.bytesRead).toBeLessThan(400_000);
  });

  it('is taken in up to a bound while the answer is blocked: Apache reads nothing before it has sent all', async () => {
    const { input, output, closed } = exchange(
      (_, response) => {
        response.end(Buffer.alloc(500_000, 'a'));
      },
      { CONTENT_LENGTH: '10000000' },
      { idleTimeout: 100 },
    );
    output.hold();
    const piece = Buffer.alloc(100_000);
    for (let sent = 0; sent < 100; sent += 1) {
      if (!input.write(piece)) await within('more room', once(input, 'drain'));
    }
    output.release();
    await within('the end', closed);
    expect(output.text.length).toBeGreaterThan(500_000);
  });

  it('that fails to be read ends the exchange', async () => {
    const { input, closed, socket } = exchange(echo, { CONTENT_LENGTH: '5' });
    await turns(3);
    input.destroy(new Error('no more of this'));
    await within('the end', closed);
    expect(socket.isAnswered).toBe(false);
  });

  it('of a request that was refused is read to its end, for Apache loses the answer otherwise', async () => {
    const { input, output, closed, socket } = exchange(echo, { CONTENT_LENGTH: '100000' }, { maxBodyBytes: 10 });
    input.end(Buffer.alloc(100_000));
    await within('the end', closed);
    expect(output.text).toMatch(/^Status: 413 /);
    expect(socket.bytesRead).toBeGreaterThan(100_000);
    expect(socket.isAnswered).toBe(true);
  });

  it('of unknown length is read until it ends, and refused', async () => {
    const { input, output, closed } = exchange(echo, { HTTP_TRANSFER_ENCODING: 'chunked' });
    input.end('hello');
    await within('the end', closed);
    expect(output.text).toMatch(/^Status: 411 /);
  });
});

describe('the answer', () => {
  it('to a request without a body needs no input', async () => {
    const { input, output, closed, socket } = exchange((_, response) => response.end('hello'));
    await within('the end', closed);
    expect(output.text).toBe('Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    expect(input.listenerCount('data')).toBe(0);
    expect(socket.isAnswered).toBe(true);
  });

  it('comes as it is written', async () => {
    const { output } = exchange((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: 1\n\n');
    });
    await turns(3);
    expect(output.text).toMatch(/\r\n\r\ndata: 1\n\n$/);
  });

  it('is not copied', async () => {
    const block = Buffer.alloc(50_000, 'a');
    const { output, closed } = exchange((_, response) => {
      response.writeHead(200, { 'Content-Length': block.length });
      response.end(block);
    });
    await within('the end', closed);
    expect(output.chunks.some(({ buffer }) => buffer === block.buffer)).toBe(true);
  });

  it('waits for an output that takes no more', async () => {
    let blocked = 0;
    const { output, closed, socket } = exchange((_, response) => {
      const write = (left: number): void => {
        if (left === 0) response.end();
        else if (response.write(Buffer.alloc(10_000, 'a'))) write(left - 1);
        else {
          blocked += 1;
          response.once('drain', () => write(left - 1));
        }
      };
      write(100);
    });
    output.hold();
    await turns(10);
    expect(blocked).toBe(1);
    expect(socket.writableLength).toBeLessThan(200_000);
    output.release();
    await within('the end', closed);
    expect(output.text.length).toBeGreaterThan(1_000_000);
    expect(socket.isAnswered).toBe(true);
  });

  it('shows its progress within one large write, so that a slow client is not taken for an idle one', async () => {
    const { output, socket } = exchange((_, response) => void response.end(Buffer.alloc(1_000_000)));
    output.hold();
    await turns(5);
    const before = socket.bytesWritten - socket.writableLength;
    output.release();
    output.hold();
    await turns(5);
    const after = socket.bytesWritten - socket.writableLength;
    expect(after).toBeGreaterThan(before);
    expect(after).toBeLessThan(200_000);
  });

  it('in several pieces at once goes out in one', async () => {
    const { output, closed } = exchange((request, response) => {
      const { socket } = request;
      socket.cork();
      response.write('one, ');
      response.write('two, ');
      response.end('three');
      socket.uncork();
    });
    await within('the end', closed);
    expect(output.text).toMatch(/one, two, three$/);
  });

  it.each<[string, ScgiListener]>([
    ['the application breaks off', (_, response) => (response.write('begun'), response.destroy())],
    ['is shorter than its length', (_, response) => response.writeHead(200, { 'Content-Length': 5 }).end('hell')],
    ['never comes', (request) => void request.socket.destroy()],
  ])('that %s is not whole', async (_, listener) => {
    const { closed, socket } = exchange(listener);
    await within('the end', closed);
    expect(socket.isAnswered).toBe(false);
  });

  it('that the output does not take is not whole, and the application hears of it', async () => {
    const seen: string[] = [];
    const { output, closed, socket } = exchange((request, response) => {
      request.on('aborted', () => seen.push('aborted'));
      response.on('close', () => seen.push(`close ${response.writableFinished}`));
      response.write('begun');
    });
    await turns(3);
    output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    await within('the end', closed);
    expect(seen).toEqual(['aborted', 'close false']);
    expect(socket.isAnswered).toBe(false);
  });

  it('that is cut with the front end still to take it is not whole', async () => {
    const { output, closed, socket } = exchange((_, response) => void response.end(Buffer.alloc(1_000_000)));
    output.hold();
    await turns(5);
    socket.destroy();
    await within('the end', closed);
    expect(socket.isAnswered).toBe(false);
  });

  it('that stops moving is cut after idleTimeout', async () => {
    const { output, closed, socket } = exchange(
      (_, response) => void response.end(Buffer.alloc(1_000_000)),
      {},
      { idleTimeout: 50 },
    );
    output.hold();
    await within('the end', closed);
    expect(socket.isAnswered).toBe(false);
  });
});

describe('the socket', () => {
  it('speaks for the client that the environment names', async () => {
    const environment = { REMOTE_ADDR: '192.0.2.7', REMOTE_PORT: '50000', HTTPS: 'on', SERVER_PORT: '443' };
    const { output, closed } = exchange(({ socket }, response) => {
      const { remoteAddress, remotePort, localPort } = socket;
      response.end(`${remoteAddress} ${remotePort} ${localPort} ${socket.encrypted}`);
    }, environment);
    await within('the end', closed);
    expect(output.text).toMatch(/192\.0\.2\.7 50000 443 true$/);
  });

  it('does not count the time in which bytes move as idle', async () => {
    let timedOutAt = 0;
    const { input, closed } = exchange(
      (request) => void request.resume().setTimeout(1500, () => (timedOutAt = performance.now())),
      { CONTENT_LENGTH: '2' },
    );
    // Long before the time is over, even on a busy machine; this also keeps the process alive.
    await setTimeout(300);
    const byteAt = performance.now();
    input.write('x');
    while (timedOutAt === 0) await setTimeout(10);
    expect(timedOutAt - byteAt).toBeGreaterThan(1450);
    input.end();
    await within('the end', closed);
  });

  it('may be destroyed before a server has it', async () => {
    const request = toCgiRequest([], new ProcessVariables());
    const socket = new StdioSocket(request, { input: undefined, output: new Sink() });
    socket.destroy(new Error('too late'));
    await within('the end', new Promise((resolve) => socket.once('close', resolve)));
    expect(socket.isAnswered).toBe(false);
  });
});
