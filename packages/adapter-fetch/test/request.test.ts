// The Request that a handler gets: what it looks like, and that every use of it works as with a real one.

import http, { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { rawRequest } from '@scgi/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ask, askOnce, observe, serve } from './support/stage.js';

const post = { method: 'POST', target: '/x?y=1', body: 'hello', variables: { CONTENT_TYPE: 'text/plain' } };

describe('a request', () => {
  test('is a Request', async () => {
    const look = (request: Request): unknown => [request instanceof Request, Object.prototype.toString.call(request)];
    expect(await observe(look)).toEqual([true, '[object Request]']);
  });

  test('has method, URL and fields', async () => {
    const look = ({ method, url, headers }: Request): unknown => [method, url, Object.fromEntries(headers)];
    expect(await observe(look, { ...post, variables: { HTTP_X_A: 'b', CONTENT_TYPE: 'text/plain' } })).toEqual([
      'POST',
      'http://server.test/x?y=1',
      { 'content-length': '5', 'content-type': 'text/plain', 'x-a': 'b' },
    ]);
  });

  test('has the defaults of every other property', async () => {
    const look = (request: Request): unknown => {
      const { cache, credentials, destination, duplex, integrity, keepalive, mode, redirect, referrer } = request;
      return { cache, credentials, destination, duplex, integrity, keepalive, mode, redirect, referrer };
    };
    const real = look(new Request('http://server.test/'));
    expect(await observe(look)).toEqual(real);
  });

  test('keeps an extension method, and capitalises a standard one', async () => {
    expect(await observe(({ method }) => method, { method: 'PROPFIND' })).toBe('PROPFIND');
    expect(await observe(({ method }) => method, { method: 'post' })).toBe('POST');
  });

  test('gives the same objects each time', async () => {
    const look = (request: Request): unknown => [
      request.headers === request.headers,
      request.signal === request.signal,
      request.body === request.body,
    ];
    expect(await observe(look, post)).toEqual([true, true, true]);
  });

  test('can be inspected', async () => {
    expect(await observe((request) => inspect(request), post)).toContain('http://server.test/x?y=1');
  });

  test('comes without an IncomingMessage being made', async () => {
    const made = vi.spyOn(http.IncomingMessage.prototype, '_read');
    const seen: unknown[] = [];
    const running = await serve((request) => (seen.push(request), new Response('x')));
    running.server.on('request', () => seen.push('a request event'));
    await ask(running.address, post);
    expect(made).not.toHaveBeenCalled();
    expect(seen).toEqual([expect.any(Request)]);
    made.mockRestore();
  });

  test('comes from an object with `fetch`, called on it', async () => {
    const app = {
      name: 'it',
      fetch(this: { name: string }, _request: Request) {
        return new Response(this.name);
      },
    };
    expect((await ask((await serve(app)).address)).text).toBe('it');
  });

  test('is not served by something else', async () => {
    await expect(Reflect.apply(serve, undefined, [{ handle() {} }])).rejects.toThrow(TypeError);
    await expect(Reflect.apply(serve, undefined, [undefined])).rejects.toThrow(TypeError);
  });
});

describe('header fields', () => {
  async function fieldsOf(variables: readonly string[], name: string): Promise<string | null> {
    const { address } = await serve((request) => Response.json(request.headers.get(name)));
    const parts = ['CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', 'REQUEST_URI', '/', ...variables];
    const head = parts.map((part) => `${part}\0`).join('');
    return JSON.parse((await rawRequest(address, `${head.length}:${head},`)).body.toString());
  }

  test('are joined with commas where they repeat', async () => {
    expect(await fieldsOf(['HTTP_X_A', '1', 'HTTP_X_A', '2'], 'x-a')).toBe('1, 2');
  });

  test('named Cookie are joined with semicolons', async () => {
    expect(await fieldsOf(['HTTP_COOKIE', 'a=1', 'HTTP_COOKIE', 'b=2'], 'cookie')).toBe('a=1; b=2');
  });

  test('have one character for each octet', async () => {
    expect(await fieldsOf(['HTTP_X_A', 'caf\xe9'], 'x-a')).toBe('caf\xe9');
  });

  test('can be changed', async () => {
    const look = (request: Request): unknown => {
      request.headers.set('x-a', 'b');
      return [request.headers.get('x-a'), new Request(request).headers.get('x-a')];
    };
    expect(await observe(look)).toEqual(['b', 'b']);
  });
});

describe('passed on', () => {
  const facts = async (request: Request): Promise<unknown> => ({
    method: request.method,
    url: request.url,
    type: request.headers.get('content-type'),
    text: await request.text(),
  });
  const whole = { method: 'POST', url: 'http://server.test/x?y=1', type: 'text/plain', text: 'hello' };

  test('to new Request(request) it is copied', async () => {
    expect(await observe((request) => facts(new Request(request)), post)).toEqual(whole);
  });

  test('to new Request(request, init) it is copied with changes', async () => {
    const look = (request: Request): unknown => facts(new Request(request, { method: 'PUT' }));
    expect(await observe(look, post)).toEqual({ ...whole, method: 'PUT' });
  });

  test('to new Request(url, request) it gives method, fields and body', async () => {
    const look = (request: Request): unknown => facts(new Request('http://other.test/z', request));
    expect(await observe(look, post)).toEqual({ ...whole, url: 'http://other.test/z' });
  });

  test('to fetch(request) it is sent', async () => {
    const upstream = createServer((req, res) => {
      res.write(`${req.method} ${req.url} ${req.headers['x-a']} `);
      req.pipe(res);
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void upstream.close());
    const address: AddressInfo | string | null = upstream.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const running = await serve((request) => fetch(request));
    const variables = { HTTP_HOST: `127.0.0.1:${port}`, HTTP_X_A: 'b' };
    expect((await ask(running.address, { ...post, variables })).text).toBe('POST /x?y=1 b hello');
  });

  test('to clone() both have the body', async () => {
    const look = async (request: Request): Promise<unknown> => {
      const clone = request.clone();
      return [await clone.text(), await request.text(), clone.url === request.url];
    };
    expect(await observe(look, post)).toEqual(['hello', 'hello', true]);
  });

  test('its signal goes with it', async () => {
    const look = (request: Request): unknown => [new Request(request).signal.aborted, request.clone().signal.aborted];
    expect(await observe(look)).toEqual([false, false]);
  });

  test('after its body was read it is refused, as a real one', async () => {
    const look = async (request: Request): Promise<unknown> => {
      await request.text();
      const failures = [
        () => new Request(request),
        () => request.clone(),
        () => new Request('http://a.test/', request),
      ];
      return failures.map((action) => {
        try {
          action();
          return 'done';
        } catch (error) {
          return error instanceof TypeError;
        }
      });
    };
    expect(await observe(look, post)).toEqual([true, true, true]);
  });

  test('its other properties can be read after the body was', async () => {
    const look = async (request: Request): Promise<unknown> => {
      await request.text();
      return [request.referrer, request.bodyUsed, request.url];
    };
    expect(await observe(look, post)).toEqual(['about:client', true, 'http://server.test/x?y=1']);
  });
});

describe('the context', () => {
  test('has the variables, the client and the rest as second and third argument', async () => {
    const answer = await askOnce(
      (_request, context, executionContext) =>
        Response.json([context.env.REMOTE_USER, context.remoteAddress, context === executionContext, context.basePath]),
      { variables: { REMOTE_USER: 'ada' } },
    );
    expect(JSON.parse(answer.text)).toEqual(['ada', '192.0.2.7', true, '']);
  });

  test('has no client address where the front end names none', async () => {
    const answer = await askOnce((_request, { remoteAddress }) => new Response(String(remoteAddress)), {
      variables: { REMOTE_ADDR: '' },
    });
    expect(answer.text).toBe('undefined');
  });
});
