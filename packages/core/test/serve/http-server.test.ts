// What existing code expects of an http.Server beyond requests and responses: classes, time-outs, limits on
// connections, tracing channels, asynchronous context.

import { AsyncLocalStorage } from 'node:async_hooks';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, ending, exchange, head, within } from '../support/raw-client.js';
import { tcpServer } from '../support/servers.js';
import { serve } from './support.js';

describe('the classes', () => {
  it('are those of node:http, so that instanceof holds', async () => {
    const seen: boolean[] = [];
    const server = await tcpServer((req, res) => {
      seen.push(req instanceof http.IncomingMessage, res instanceof http.ServerResponse);
      res.end();
    });
    expect(server).toBeInstanceOf(http.Server);
    await exchange(server.address(), head());
    expect(seen).toEqual([true, true]);
  });

  it('are those of the options IncomingMessage and ServerResponse', async () => {
    class Request extends http.IncomingMessage {
      greeting = 'hello';
    }
    class Response<R extends http.IncomingMessage> extends http.ServerResponse<R> {
      greet(text: string): void {
        this.setHeader('x-class', this.constructor.name);
        this.end(text);
      }
    }
    const seen: unknown[] = [];
    const server = await tcpServer(
      (req, res) => {
        seen.push(req.constructor, res.constructor, res.req === req);
        if (req instanceof Request && res instanceof Response) res.greet(req.greeting);
      },
      { IncomingMessage: Request, ServerResponse: Response },
    );
    const { text } = await exchange(server.address(), head());
    expect(seen).toEqual([Request, Response, true]);
    expect(text).toBe('Status: 200 OK\r\nx-class: Response\r\nContent-Length: 5\r\n\r\nhello');
  });

  it('may be wrapped at http.Server.prototype.emit, as tracing tools do', async () => {
    const seen: unknown[] = [];
    const { emit } = http.Server.prototype;
    const server = await tcpServer((_req, res) => res.end());
    http.Server.prototype.emit = function (this: http.Server, event: string, ...args: unknown[]) {
      if (this === server) seen.push(event);
      return Reflect.apply(emit, this, [event, ...args]);
    };
    onTestFinished(() => void (http.Server.prototype.emit = emit));
    await exchange(server.address(), head());
    expect(seen).toEqual(['connection', 'request']);
  });
});

describe('server.setTimeout', () => {
  it('closes a connection on which nothing happens for so long', async () => {
    const server = await tcpServer(() => {});
    server.setTimeout(50);
    const { text } = await exchange(server.address(), head());
    expect(text).toBe('');
  });

  it('leaves the socket to a listener for `timeout`', async () => {
    const server = await tcpServer(() => {});
    const timedOut = once(server, 'timeout');
    server.setTimeout(50);
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.write(head());
    const [peer] = (await within('the time-out', timedOut)) as [Socket];
    expect(peer.destroyed).toBe(false);
    peer.end('Status: 503 Service Unavailable\r\n\r\nbusy');
    expect((await end).text).toMatch(/^Status: 503 [\s\S]*busy$/);
  });

  it('asks the request and the response first', async () => {
    const seen: string[] = [];
    const server = await tcpServer((req, res) => {
      req.on('timeout', () => seen.push('request'));
      res.on('timeout', () => {
        seen.push('response');
        res.end('late');
      });
    });
    server.setTimeout(50);
    const { text } = await exchange(server.address(), `${head({ CONTENT_LENGTH: '5' })}abc`);
    expect(text).toMatch(/late$/);
    expect(seen).toEqual(['request', 'response']);
  });

  it('counts for the second address of a server as well', async () => {
    const running = await serve(() => {}, { bind: [0, 0] });
    running.server.setTimeout(50);
    const [, second] = running.endpoints;
    const { text } = await exchange({ address: '127.0.0.1', port: second?.port ?? 0, family: 'IPv4' }, head());
    expect(text).toBe('');
  });

  it('of a response or a request has its callback called, whichever set it', async () => {
    const seen: string[] = [];
    const server = await tcpServer((req, res) => {
      req.setTimeout(30, () => seen.push('request'));
      res.setTimeout(30, () => {
        seen.push('response');
        res.end('late');
      });
    });
    const { text } = await exchange(server.address(), `${head({ CONTENT_LENGTH: '5' })}abc`);
    expect(text).toMatch(/late$/);
    expect(seen).toEqual(['request', 'response']);
  });
});

describe('server.maxConnections', () => {
  it('drops the connection that is one too many, and says so', async () => {
    const waiting: http.ServerResponse[] = [];
    const server = await tcpServer((_req, res) => waiting.push(res));
    server.maxConnections = 1;
    const requested = once(server, 'request');
    const first = exchange(server.address(), head());
    await within('the first request', requested);
    const dropped = once(server, 'drop');
    const second = await exchange(server.address(), head());
    expect(second.text).toBe('');
    expect((await within('the drop', dropped))[0]).toMatchObject({ localPort: expect.any(Number) });
    waiting[0]?.end('served');
    expect((await first).text).toMatch(/served$/);
    const third = exchange(server.address(), head());
    await within('the third request', once(server, 'request'));
    waiting[1]?.end('served');
    expect((await third).text).toMatch(/served$/);
  });
});

describe('the counts of connections', () => {
  it('agree: what Node counts and what the server serves', async () => {
    const server = await tcpServer(() => {});
    const count = (): Promise<number> =>
      new Promise((resolve, reject) => {
        server.getConnections((error, connections) => (error === null ? resolve(connections) : reject(error)));
      });
    expect([await count(), server.connectionCount]).toEqual([0, 0]);
    const requested = once(server, 'request');
    const socket = await connect(server.address());
    const end = ending(socket);
    socket.write(head());
    const [, response] = await within('the request', requested);
    expect([await count(), server.connectionCount]).toEqual([1, 1]);
    const closed = once(response.socket, 'close');
    response.end();
    await end;
    await within('the close', closed);
    expect([await count(), server.connectionCount]).toEqual([0, 0]);
  });
});

describe('diagnostics channels', () => {
  it('tell of the start of a request and the end of its response, with our objects', async () => {
    const server = await tcpServer((_req, res) => res.end('here'));
    const seen: [string, unknown][] = [];
    for (const name of ['http.server.request.start', 'http.server.response.finish']) {
      const listener = (message: unknown): void => {
        // Other tests of this process have servers too.
        if (typeof message === 'object' && message !== null && Reflect.get(message, 'server') === server) {
          seen.push([name, message]);
        }
      };
      diagnostics.subscribe(name, listener);
      onTestFinished(() => void diagnostics.unsubscribe(name, listener));
    }
    const requested = once(server, 'request');
    await exchange(server.address(), head());
    const [request, response] = await requested;
    const objects = { request, response, socket: request.socket, server };
    expect(seen.map(([name]) => name)).toEqual(['http.server.request.start', 'http.server.response.finish']);
    for (const [, message] of seen) {
      for (const [key, value] of Object.entries(objects)) expect(Reflect.get(Object(message), key)).toBe(value);
    }
  });
});

describe('AsyncLocalStorage', () => {
  it('keeps the contexts of requests apart, in every callback of theirs', async () => {
    const storage = new AsyncLocalStorage<string>();
    const mixed: string[] = [];
    const server = await tcpServer((req, res) => {
      const name = req.url ?? '';
      const check = (where: string): void => {
        if (storage.getStore() !== name) mixed.push(`${where} of ${name} sees ${storage.getStore()}`);
      };
      storage.run(name, () => {
        req.on('data', () => {});
        res.on('finish', () => {});
        setImmediate(async () => {
          check('setImmediate');
          await Promise.resolve();
          check('a promise');
          res.write('part', () => check('the callback of write'));
          setTimeout(() => {
            check('a timer');
            res.end(name, () => check('the callback of end'));
          }, 1);
        });
      });
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => exchange(server.address(), head({ REQUEST_URI: `/${index}` }))),
    );
    answers.forEach(({ text }, index) => expect(text.endsWith(`part/${index}`)).toBe(true));
    expect(mixed).toEqual([]);
  });

  it('does not carry the context of one request into the next connection', async () => {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    const server = await tcpServer((_req, res) => {
      stores.push(storage.getStore());
      // As AsyncLocalStorage users without a callback do.
      storage.enterWith('leaked');
      res.end();
    });
    for (let request = 0; request < 3; request += 1) await exchange(server.address(), head());
    expect(stores).toEqual([undefined, undefined, undefined]);
  });
});
