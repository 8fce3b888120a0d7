// An application that fails: the front end gets a status and nothing else, onError gets the cause, the server goes on.

import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { createScgiServer } from '../../src/index.js';
import type { ScgiListener } from '../../src/index.js';
import { connect, ending, exchange, head, within } from '../support/raw-client.js';
import { firstAddress, serve } from './support.js';

const secret = new Error('password=hunter2');

interface Failure {
  readonly text: string;
  readonly by: 'fin' | 'reset';
  readonly errors: readonly unknown[];
}

/** Serves one request with a listener that fails. */
async function failWith(listener: ScgiListener, variables: Record<string, string> = {}): Promise<Failure> {
  const errors: unknown[] = [];
  const running = await serve(listener, { onError: (error, request) => errors.push([error, request.url]) });
  const answer = await exchange(firstAddress(running), head({ REQUEST_URI: '/failing', ...variables }));
  return { ...answer, errors };
}

const generic =
  'Status: 500 Internal Server Error\r\ncontent-type: text/plain\r\ncontent-length: 22\r\n\r\nInternal Server Error\n';

describe('a listener that fails before the head', () => {
  it.each<[string, ScgiListener]>([
    [
      'throws',
      () => {
        throw secret;
      },
    ],
    ['rejects', async () => Promise.reject(secret)],
    [
      'rejects later',
      async () => {
        await new Promise((resolve) => setImmediate(resolve));
        throw secret;
      },
    ],
    // A thenable of another library.
    // oxlint-disable-next-line unicorn/no-thenable
    ['returns a thenable that rejects', () => ({ then: (_ok: unknown, fail: (e: unknown) => void) => fail(secret) })],
    [
      'throws with fields and a status set',
      (_req, res) => {
        res.statusCode = 201;
        res.statusMessage = 'Made';
        res.setHeader('set-cookie', 'session=1');
        res.setHeader('content-length', '1000');
        throw secret;
      },
    ],
    [
      'throws after reading the body',
      async (req) => {
        for await (const _chunk of req);
        throw secret;
      },
    ],
  ])('and %s is answered 500 without a word of why', async (_name, listener) => {
    const { text, by, errors } = await failWith(listener);
    expect(text).toBe(generic);
    expect(by).toBe('fin');
    expect(errors).toEqual([[secret, '/failing']]);
  });

  it.each([undefined, null, 'a string', 0])('and throws %s, no error, is answered 500 as well', async (thrown) => {
    const { text, errors } = await failWith(() => {
      throw thrown;
    });
    expect(text).toBe(generic);
    expect(errors).toEqual([[thrown, '/failing']]);
  });

  it('has no body for HEAD', async () => {
    const { text } = await failWith(() => Promise.reject(secret), { REQUEST_METHOD: 'HEAD' });
    expect(text).toMatch(/^Status: 500 [\s\S]*\r\n\r\n$/);
  });
});

describe('a listener that fails after the head', () => {
  it.each<[string, (response: ServerResponse) => unknown]>([
    ['a part of the body', (res) => res.write('half')],
    ['the head alone', (res) => res.flushHeaders()],
  ])('has its connection reset after %s, so that nothing short looks whole', async (_name, begin) => {
    let fail: (error: Error) => void = () => {};
    const errors: unknown[] = [];
    const running = await serve(
      (_req, res) => {
        begin(res);
        return new Promise((_resolve, reject) => (fail = reject));
      },
      { onError: (error) => errors.push(error) },
    );
    const socket = await connect(firstAddress(running));
    const end = ending(socket);
    // libuv takes a reset that arrives with data for an EOF, so the client must have read what came before.
    const begun = once(socket, 'data');
    socket.write(head());
    await within('the first bytes', begun);
    fail(secret);
    const { text, by } = await end;
    expect(by).toBe('reset');
    expect(text).not.toContain('hunter2');
    expect(errors).toEqual([secret]);
  });

  it('has its response delivered if that was whole', async () => {
    const { text, by, errors } = await failWith((_req, res) => {
      res.end('whole');
      throw secret;
    });
    expect(text).toMatch(/whole$/);
    expect(by).toBe('fin');
    expect(errors).toEqual([[secret, '/failing']]);
  });
});

describe('after a failure', () => {
  it('the server serves the next request', async () => {
    let calls = 0;
    const running = await serve(
      (_req, res) => {
        calls += 1;
        if (calls % 2 === 1) throw secret;
        res.end('fine');
      },
      { onError: () => {} },
    );
    const texts: string[] = [];
    for (let request = 0; request < 6; request += 1) {
      texts.push((await exchange(firstAddress(running), head())).text);
    }
    expect(texts.filter((text) => text === generic)).toHaveLength(3);
    expect(texts.filter((text) => text.endsWith('fine'))).toHaveLength(3);
  });

  it('other requests in flight are not touched', async () => {
    const waiting: ServerResponse[] = [];
    const running = await serve(
      (req, res) => {
        if (req.url === '/bad') throw secret;
        waiting.push(res);
      },
      { onError: () => {} },
    );
    const requested = once(running.server, 'request');
    const good = exchange(firstAddress(running), head({ REQUEST_URI: '/good' }));
    await within('the request', requested);
    expect((await exchange(firstAddress(running), head({ REQUEST_URI: '/bad' }))).text).toBe(generic);
    waiting[0]?.end('untouched');
    expect((await good).text).toMatch(/untouched$/);
  });

  it('the error goes to stderr if nobody else asked for it', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const running = await serve(() => {
        throw secret;
      });
      await exchange(firstAddress(running), head({ REQUEST_URI: '/failing' }));
      expect(log.mock.calls).toEqual([['GET /failing failed:', secret]]);
    } finally {
      log.mockRestore();
    }
  });

  it('an application that fails because the client left is not logged', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      let failed: Promise<unknown> = Promise.resolve();
      const running = await serve((req) => {
        failed = (async () => {
          for await (const _chunk of req);
        })();
        return failed;
      });
      const socket = await connect(firstAddress(running));
      const requested = once(running.server, 'request');
      socket.write(`${head({ CONTENT_LENGTH: '10' })}abc`);
      const [, response] = (await within('the request', requested)) as [IncomingMessage, ServerResponse];
      const closed = once(response, 'close');
      socket.destroy();
      await within('the abort', closed);
      await failed.catch(() => {});
      expect(log.mock.calls).toEqual([]);
    } finally {
      log.mockRestore();
    }
  });
});

describe('createScgiServer with a listener that rejects', () => {
  it('answers 500 where captureRejections is on, as over HTTP', async () => {
    EventEmitter.captureRejections = true;
    const server = createScgiServer((_req, res) => {
      res.setHeader('x-secret', '1');
      return Promise.reject(secret);
    });
    // Read at construction.
    EventEmitter.captureRejections = false;
    server.listen(0);
    await within('listening', once(server, 'listening'));
    const { text } = await exchange(server.address(), head());
    server.close();
    expect(text).toBe('Status: 500 Internal Server Error\r\nContent-Length: 21\r\n\r\nInternal Server Error');
  });
});
