// Routes, mounts, middleware and state, without a connection.

import { describe, expect, test } from 'vitest';
import { createGeminiApp, GeminiResponse } from '../src/index.js';
import type { GeminiApp, GeminiHandler } from '../src/index.js';
import { makeRequest } from './support/request.js';

async function get(app: GeminiApp, path: string): Promise<string> {
  const { status, meta, body } = await app.handle(makeRequest(path));
  return typeof body === 'string' ? `${status} ${body}` : `${status} ${meta}`;
}

const named =
  (name: string): GeminiHandler =>
  ({ scriptName, pathInfo }) =>
    `${name} ${scriptName}|${pathInfo}`;

describe('paths', () => {
  const app = createGeminiApp()
    .route('/', named('home'))
    .route('/about', named('about'))
    .route('/api/hidden', named('route'))
    .route('/with blank/ü', named('decoded'))
    .mount('/api', named('api'))
    .mount('/api/v2/', named('v2'));

  test.each([
    ['/', '20 home |/'],
    ['', '20 home |/'],
    ['/about', '20 about |/about'],
    ['/about/', '51 Not found'],
    ['/about/more', '51 Not found'],
    ['/About', '51 Not found'],
    ['/with%20blank/%C3%BC', '20 decoded |/with blank/ü'],
    ['/with%20blank%2F%C3%BC', '51 Not found'],
    ['/api', '20 api /api|'],
    ['/api/', '20 api /api|/'],
    ['/api/users/1', '20 api /api|/users/1'],
    ['/api/v2', '20 v2 /api/v2|'],
    ['/api/v2/x', '20 v2 /api/v2|/x'],
    ['/api/v20', '20 api /api|/v20'],
    ['/apis', '51 Not found'],
    ['/api%2Fv2', '51 Not found'],
    ['/api//x', '20 api /api|//x'],
    ['/api/a%2Fb', '20 api /api|/a/b'],
  ])('%j', async (path, answer) => expect(await get(app, path)).toBe(answer));

  test('mounted handlers win over routes', async () =>
    expect(await get(app, '/api/hidden')).toBe('20 api /api|/hidden'));

  test('a mount at the root takes what is left', async () => {
    const rooted = createGeminiApp().mount('/', named('root')).mount('/api', named('api'));
    expect(await get(rooted, '/x/y')).toBe('20 root |/x/y');
    expect(await get(rooted, '/api/y')).toBe('20 api /api|/y');
  });

  test('an application can be mounted in another one', async () => {
    const inner = createGeminiApp().route('/', named('root')).route('/x', named('x')).mount('/deep', named('deep'));
    const outer = createGeminiApp().mount('/in', inner);
    expect(await get(outer, '/in')).toBe('20 root /in|');
    expect(await get(outer, '/in/')).toBe('20 root /in|/');
    expect(await get(outer, '/in/x')).toBe('20 x /in|/x');
    expect(await get(outer, '/in/deep/er')).toBe('20 deep /in/deep|/er');
    expect(await get(outer, '/in/no')).toBe('51 Not found');
  });

  test.each([['about'], [''], ['/a?b'], ['/a#b'], ['/a\nb']])('%j is no path', (path) => {
    const refused = expect.objectContaining({ code: 'ERR_SCGI_OPTION' });
    expect(() => createGeminiApp().route(path, named('x'))).toThrow(refused);
    expect(() => createGeminiApp().mount(path, named('x'))).toThrow(refused);
  });

  test('a path has one handler', () => {
    const refused = expect.objectContaining({ code: 'ERR_SCGI_OPTION' });
    expect(() => createGeminiApp().route('/a', named('x')).route('/a', named('y'))).toThrow(refused);
    expect(() => createGeminiApp().mount('/a', named('x')).mount('/a/', named('y'))).toThrow(refused);
  });
});

describe('middleware', () => {
  test('wraps routes, mounts and what is not found, the first one outermost', async () => {
    const seen: string[] = [];
    const app = createGeminiApp();
    for (const name of ['outer', 'inner']) {
      app.use(async (_request, next) => {
        seen.push(name);
        const response = await next();
        seen.push(`${name} ${response.status}`);
        return response;
      });
    }
    app.route('/', () => 'home').mount('/api', () => GeminiResponse.input('?'));
    for (const path of ['/', '/api/x', '/no']) await get(app, path);
    expect(seen).toEqual([20, 10, 51].flatMap((status) => ['outer', 'inner', `inner ${status}`, `outer ${status}`]));
  });

  test('may answer by itself, and another response', async () => {
    const app = createGeminiApp()
      .use(async ({ path }, next) => (path === '/closed' ? GeminiResponse.gone() : next()))
      .use(async (_request, next) => ((await next()).status === 51 ? '# Lost?' : 'found'));
    expect(await get(app, '/closed')).toBe('52 Gone');
    expect(await get(app, '/open')).toBe('20 # Lost?');
  });

  test('may catch what a handler throws', async () => {
    const app = createGeminiApp()
      .use((_request, next) => next().catch((error: Error) => GeminiResponse.temporaryFailure(error.message)))
      .route('/', () => {
        throw new Error('broken');
      });
    expect(await get(app, '/')).toBe('40 broken');
  });

  test('may not run what is behind it twice', async () => {
    const app = createGeminiApp().use(async (_request, next) => {
      await next();
      return next();
    });
    await expect(get(app, '/')).rejects.toMatchObject({ code: 'ERR_SCGI_STATE' });
  });

  test('must return a response', async () => {
    // @ts-expect-error What a program without types may do.
    const app = createGeminiApp().use(async () => {});
    await expect(get(app, '/')).rejects.toThrow(TypeError);
  });
});

describe('requests', () => {
  test('have the input that was typed', async () => {
    const app = createGeminiApp().route('/', ({ input }) => `${input}`);
    expect(await get(app, '/?a%20b%0A%C3%BC')).toBe('20 a b\nü');
    expect(await get(app, '/?')).toBe('20 ');
    expect(await get(app, '/')).toBe('20 undefined');
  });

  test('have the state of the application that handles them', async () => {
    const inner = createGeminiApp().route('/', ({ state }) => `inner ${String(state['name'])}`);
    const outer = createGeminiApp()
      .route('/', ({ state }) => `outer ${String(state['name'])}`)
      .mount('/in', inner);
    outer.state['name'] = 'Ada';
    inner.state['name'] = 'Grace';
    expect(await get(outer, '/')).toBe('20 outer Ada');
    expect(await get(outer, '/in')).toBe('20 inner Grace');
  });
});
