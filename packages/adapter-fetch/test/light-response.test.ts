// The light Response shows what Node's own shows, in every respect that can be asked for.

import { rawRequest } from '@scgi/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { installLightResponse, LightResponse, serveScgi } from '../src/index.js';

type Arguments = ConstructorParameters<typeof Response>;

const made: readonly (readonly [string, Arguments])[] = [
  ['nothing', []],
  ['a text', ['hello é']],
  ['an empty text', ['']],
  ['a text with a status', ['no', { status: 404 }]],
  ['a text with a status and its phrase', ['no', { status: 404, statusText: 'Nope' }]],
  ['a text of a type', ['{}', { headers: { 'Content-Type': 'application/json' } }]],
  [
    'a text with fields',
    [
      'x',
      {
        headers: [
          ['a', '1'],
          ['a', '2'],
          ['Set-Cookie', 'b=1'],
          ['Set-Cookie', 'c=2'],
        ],
      },
    ],
  ],
  ['no body and fields', [null, { headers: { location: '/x' }, status: 302 }]],
  ['no content', [null, { status: 204 }]],
  ['bytes', [new Uint8Array([1, 2, 3])]],
  ['form fields', [new URLSearchParams({ a: 'b c' })]],
  ['a blob', [new Blob(['blob'], { type: 'text/x-blob' })]],
  ['what another response had', ['y', new Response('x', { status: 203, headers: { a: 'b' } })]],
];

describe('a light Response of', () => {
  it.each(made)('%s is like the real one', async (_name, [body, init]) => {
    const light = new LightResponse(body, init);
    const real = new Response(body, init);
    expect(light).toBeInstanceOf(Response);
    for (const key of ['status', 'statusText', 'ok', 'type', 'url', 'redirected', 'bodyUsed']) {
      expect([key, Reflect.get(light, key)]).toEqual([key, Reflect.get(real, key)]);
    }
    expect([...light.headers]).toEqual([...real.headers]);
    const text: unknown = await Reflect.apply(Reflect.get(light, 'text'), light, []);
    expect(text).toBe(await real.text());
    expect(Reflect.get(light, 'bodyUsed')).toBe(real.bodyUsed);
  });

  it.each<readonly [string, Arguments]>([
    ['a status below 200', ['', { status: 101 }]],
    ['a status above 599', ['', { status: 600 }]],
    ['a body where there must be none', ['x', { status: 204 }]],
    ['a phrase that breaks the line', ['x', { statusText: 'a\nb' }]],
    ['a field that is none', ['x', { headers: { 'a b': 'c' } }]],
    ['a value that breaks the line', ['x', { headers: { a: 'b\r\nc: d' } }]],
  ])('%s is refused as by the real one', (_name, [body, init]) => {
    const refusal = (make: () => unknown): string => {
      try {
        make();
        return 'none';
      } catch (error) {
        return error instanceof Error ? error.name : 'something else';
      }
    };
    expect(refusal(() => new Response(body, init))).not.toBe('none');
    expect(refusal(() => new LightResponse(body, init))).toBe(refusal(() => new Response(body, init)));
  });

  it('JSON has its type', async () => {
    const response = LightResponse.json({ a: [1] }, { status: 201 });
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await Reflect.apply(Reflect.get(response, 'json'), response, [])).toEqual({ a: [1] });
    expect(() => LightResponse.json(undefined)).toThrow(TypeError);
  });
});

describe('over SCGI', () => {
  async function answerOf(make: () => unknown, method = 'GET'): Promise<string> {
    const server = await serveScgi(make, { bind: 0 });
    onTestFinished(() => server.close({ timeout: 0 }));
    const answer = await rawRequest(server.endpoints[0]?.address ?? '', {
      variables: { REQUEST_METHOD: method, REQUEST_URI: '/' },
    });
    return answer.bytes.toString('latin1');
  }

  it.each(made)('a light Response of %s is sent as the real one', async (_name, [body, init]) => {
    const real = await answerOf(() => new Response(body, init));
    expect(real).toMatch(new RegExp(`^Status: ${init?.status ?? 200} `));
    expect(await answerOf(() => new LightResponse(body, init))).toBe(real);
  });

  it('a light Response that was changed is sent as it is now', async () => {
    const text = await answerOf(() => {
      const response = new LightResponse('x');
      response.headers.set('X-A', 'é');
      response.headers.append('Set-Cookie', 'a=1');
      response.headers.append('Set-Cookie', 'b=2');
      return response;
    });
    expect(text).toMatch(/^Status: 200 OK\r\n/);
    expect(text).toContain('x-a: \xe9\r\n');
    expect(text).toContain('set-cookie: a=1\r\nset-cookie: b=2\r\n');
  });

  it('HEAD has the length and no body', async () => {
    expect(await answerOf(() => new LightResponse('four'), 'HEAD')).toMatch(/content-length: 4\r\n\r\n$/i);
  });

  it('a clone and a body that was taken are left to the real class', async () => {
    const text = await answerOf(() => {
      const response = new LightResponse('twice');
      return Reflect.apply(Reflect.get(response, 'clone'), response, []);
    });
    expect(text).toMatch(/twice$/);
  });

  it('a handler that knows only the global class makes light ones once they are installed', async () => {
    const Native = globalThis.Response;
    onTestFinished(() => void (globalThis.Response = Native));
    installLightResponse();
    const made: Response[] = [];
    const text = await answerOf(() => {
      const response = new Response('global', { headers: { 'x-a': 'b' } });
      made.push(response);
      return response;
    });
    expect(text).toMatch(/^Status: 200 OK\r\n[\s\S]*x-a: b\r\n[\s\S]*global$/);
    expect(made[0] !== undefined && LightResponse.partsOf(made[0])).toMatchObject({ body: 'global' });
    // What others made of Node's own class is still a Response.
    expect(new Native('own') instanceof Response).toBe(true);
  });
});
