// The adapter against the shape of Koa: what it leaves on an application, and what it does to its contexts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { rawRequest } from '@scgi/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serveScgi, type KoaApp, type KoaContext, type ServeOptions } from '../src/index.js';

interface Context extends KoaContext {
  readonly req: IncomingMessage;
  scgi?: unknown;
}

/** As small as a Koa can be: answers with what `see` makes of a context. */
class TinyApp implements KoaApp {
  context: { scgi?: unknown } = {};
  readonly #see: (context: Context) => unknown;

  constructor(see: (context: Context) => unknown = () => null) {
    this.#see = see;
  }

  createContext(request: IncomingMessage, _response: ServerResponse): Context {
    const originalUrl = request.url ?? '';
    return Object.assign(Object.create(this.context), { req: request, originalUrl, request: { originalUrl } });
  }

  callback() {
    return (request: IncomingMessage, response: ServerResponse): void => {
      response.end(JSON.stringify(this.#see(this.createContext(request, response)) ?? null));
    };
  }
}

async function ask(app: TinyApp, options: ServeOptions = {}): Promise<unknown> {
  const running = await serveScgi(app, { bind: 0, ...options });
  onTestFinished(() => running.close({ timeout: 0 }));
  const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/app/x?y', REMOTE_USER: 'ada' };
  const { body } = await rawRequest(running.endpoints[0]?.address ?? '', { variables });
  return JSON.parse(body.toString());
}

const user = ({ scgi }: Context): unknown =>
  typeof scgi === 'object' && scgi !== null && 'env' in scgi ? Reflect.get(Object(scgi.env), 'REMOTE_USER') : scgi;

describe('ctx.scgi', () => {
  test('is what the request has', async () => {
    expect(await ask(new TinyApp(user))).toBe('ada');
  });

  test('is a property of the prototype that nobody finds by looking at its keys', async () => {
    const app = new TinyApp((context) => Object.keys(context));
    expect(await ask(app)).toEqual(['req', 'originalUrl', 'request']);
    expect(Object.keys(app.context)).toEqual([]);
    expect(app.context.scgi).toBeUndefined();
  });

  test.each([
    ['before it is served', (app: TinyApp) => void (app.context.scgi = 'mine')],
    ['on a prototype further up', (app: TinyApp) => void (app.context = Object.create({ scgi: 'mine' }))],
  ])('is left alone where the application has put its own: %s', async (_when, put) => {
    const app = new TinyApp(user);
    put(app);
    expect(await ask(app)).toBe('mine');
  });

  test('may be replaced for one request without a trace in the next', async () => {
    let count = 0;
    const app = new TinyApp((context) => {
      count += 1;
      if (count === 1) context.scgi = 'mine';
      return user(context);
    });
    expect(await ask(app)).toBe('mine');
    expect(await ask(app)).toBe('ada');
  });
});

describe('the original URL', () => {
  const urls = ({ req, originalUrl, request }: Context): unknown => [req.url, originalUrl, request.originalUrl];

  test('is the whole one below a prefix, on the context and on its request', async () => {
    expect(await ask(new TinyApp(urls), { basePath: '/app' })).toEqual(['/x?y', '/app/x?y', '/app/x?y']);
  });

  test('is as Koa sets it without a prefix', async () => {
    expect(await ask(new TinyApp(urls))).toEqual(['/app/x?y', '/app/x?y', '/app/x?y']);
  });

  test('is the whole one also for an application that makes its contexts in its own way', async () => {
    class OwnContexts extends TinyApp {
      override createContext(request: IncomingMessage, response: ServerResponse): Context {
        return Object.assign(super.createContext(request, response), { scgi: 'mine' });
      }
    }
    const app = new OwnContexts((context) => [context.originalUrl, context.scgi]);
    expect(await ask(app, { basePath: '/app' })).toEqual(['/app/x?y', 'mine']);
  });
});

test('wraps an application once, however often it is served', async () => {
  const app = new TinyApp();
  await ask(app);
  const { createContext } = app;
  await ask(app, { basePath: '/app' });
  expect(app.createContext).toBe(createContext);
});

test('rejects as core does', async () => {
  await expect(serveScgi(new TinyApp(), { bind: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_SCGI_BIND' });
});
