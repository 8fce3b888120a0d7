// The adapter against the shape of Fastify: when it loads, listens and ends, and what it asks of the application.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { rawRequest } from '@scgi/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { scgiServerFactory, serveScgi, type FastifyApp, type RunningServer } from '../src/index.js';

/** As small as a Fastify can be. Writes down what is asked of it. */
class TinyApp implements FastifyApp {
  readonly calls: string[] = [];
  readonly server = { close: (callback?: () => void): unknown => (this.#log('server.close'), callback?.()) };
  loaded = false;
  decorators = new Map<string, { getter(this: { readonly raw: IncomingMessage }): unknown }>();
  #last: (() => void)[] = [];
  #onClose: (() => Promise<void>)[] = [];

  after(listener: () => void): void {
    if (this.loaded) throw new Error('Root plugin has already booted');
    this.#last.push(listener);
  }

  addHook(name: 'onClose', hook: () => Promise<void>): void {
    this.#log(`addHook ${name}`);
    this.#onClose.unshift(hook);
  }

  hasRequestDecorator(name: string): boolean {
    return this.decorators.has(name);
  }

  decorateRequest(name: string, value: { getter(this: { readonly raw: IncomingMessage }): unknown }): void {
    this.#log(`decorateRequest ${name}`);
    this.decorators.set(name, value);
  }

  async ready(): Promise<void> {
    this.#last.splice(0).forEach((listener) => listener());
    this.loaded = true;
    this.#log('ready');
  }

  async close(): Promise<void> {
    this.#log('close');
    await new Promise(setImmediate); // Fastify takes its time.
    await new Promise<void>((resolve) => this.server.close(resolve));
    for (const hook of this.#onClose.splice(0)) await hook();
    this.#log('closed');
  }

  routing(request: IncomingMessage, response: ServerResponse): void {
    const scgi = this.decorators.get('scgi')?.getter.call({ raw: request });
    response.end(scgi === request.scgi ? 'decorated' : 'bare');
  }

  #log(call: string): void {
    this.calls.push(call);
  }
}

async function serve(app: TinyApp): Promise<RunningServer> {
  const running = await serveScgi(app, { bind: 0 });
  onTestFinished(() => running.close({ timeout: 0 }));
  return running;
}

async function ask({ endpoints }: RunningServer): Promise<string> {
  const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/' };
  return (await rawRequest(endpoints[0]?.address ?? '', { variables })).body.toString();
}

test('adds its hook and its decorator behind those of all plugins, and loads before it listens', async () => {
  const app = new TinyApp();
  app.after(() => app.calls.push('a plugin'));
  const running = await serve(app);
  expect(app.calls).toEqual(['a plugin', 'addHook onClose', 'decorateRequest scgi', 'ready']);
  expect(await ask(running)).toBe('decorated');
});

test('adds no decorator where a plugin has brought one', async () => {
  const app = new TinyApp();
  app.after(() => app.decorators.set('scgi', { getter: () => 'mine' }));
  expect(await ask(await serve(app))).toBe('bare');
  expect(app.calls).toEqual(['addHook onClose', 'ready']);
});

describe.each([
  ['an application that is not loaded', false],
  ['an application that is loaded', true],
])('%s', (_what, loaded) => {
  const create = async (): Promise<TinyApp> => {
    const app = new TinyApp();
    if (loaded) await app.ready();
    return app;
  };
  const ends = ['close', 'server.close', 'closed'];

  test('is closed once with its server', async () => {
    const app = await create();
    const running = await serve(app);
    await Promise.all([running.close(), running.close({ timeout: 0 })]);
    await running[Symbol.asyncDispose]();
    expect(running.server.listening).toBe(false);
    expect(app.calls.filter((call) => ends.includes(call))).toEqual(ends);
  });

  test('takes its server along, and is not closed again', async () => {
    const app = await create();
    const running = await serve(app);
    await app.close();
    expect(running.server.listening).toBe(false);
    await running.close();
    expect(app.calls.filter((call) => ends.includes(call))).toEqual(ends);
  });

  test('is not listening when Fastify begins to close, if the server is closed first', async () => {
    const app = await create();
    const running = await serve(app);
    let listening: boolean | undefined;
    const close = app.close.bind(app);
    app.close = () => {
      listening = running.server.listening;
      return close();
    };
    await running.close();
    expect(listening).toBe(false);
  });
});

test('stops at once if the application was closed while it was loaded', async () => {
  const app = new TinyApp();
  const ready = app.ready.bind(app);
  app.ready = async () => {
    await ready();
    await app.close();
  };
  const running = await serve(app);
  expect(running.server.listening).toBe(false);
  await running.close();
});

test('rejects as the application does, and as core does', async () => {
  const app = new TinyApp();
  await expect(serveScgi(app, { bind: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_SCGI_BIND' });
  app.ready = () => Promise.reject(new Error('no database'));
  await expect(serveScgi(app, { bind: 0 })).rejects.toThrow('no database');
});

describe('scgiServerFactory', () => {
  test('makes a new server for each call, with the same options', () => {
    const factory = scgiServerFactory({ idleTimeout: 7 });
    const servers = [factory(() => {}), factory(() => {})];
    expect(servers[0]).not.toBe(servers[1]);
    expect(servers.map(({ idleTimeout }) => idleTimeout)).toEqual([7, 7]);
  });

  test('keeps listeners for errors of clients, but Fastify’s own', async () => {
    const server = scgiServerFactory()(() => {});
    const mine = (): void => {};
    function defaultClientErrorHandler(): void {}
    server.on('clientError', defaultClientErrorHandler.bind(null));
    server.on('clientError', mine);
    await new Promise(process.nextTick);
    expect(server.listeners('clientError')).toEqual([mine]);
  });
});
