// Local redirects: which paths are taken, what the response is for each front end, and how a chain of them ends.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createEnv,
  type FrontEndOptions,
  messageAnswered,
  planLocalRedirect,
  resolveFrontEnd,
} from '../../src/env/index.js';

interface Case {
  readonly path?: string;
  readonly method?: string;
  /** Undefined: the request did not come over SCGI. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly frontEnd?: FrontEndOptions;
  readonly here?: boolean;
}

/** The status, and the fields by name but for the length. */
function plan({ path = '/x', method = 'GET', variables, frontEnd, here = false }: Case): Record<string, unknown> {
  const scgi =
    variables === undefined
      ? undefined
      : { env: createEnv(Object.entries(variables).flat()), frontEnd: resolveFrontEnd(frontEnd) };
  const request = messageAnswered({ method, headers: {}, scgi }, { getHeader: () => undefined });
  const { status, fields } = planLocalRedirect(request, path, here ? { frontEnd: false } : {});
  const named: Record<string, unknown> = { status, ...fields };
  expect(named['Content-Length']).toBe('0');
  delete named['Content-Length'];
  return named;
}

const nginx = { REQUEST_URI: '/from?a=b', DOCUMENT_URI: '/from', QUERY_STRING: 'a=b' };
const apache = { REQUEST_URI: '/from', SCRIPT_FILENAME: 'proxy:scgi://localhost/from' };
const lighttpd = { REQUEST_URI: '/from', SERVER_SOFTWARE: 'lighttpd/1.4.69' };

describe('the path of a local redirect', () => {
  it.each([
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a?b=c&d', '/a?b=c&d'],
    ['/a//b', '/a//b'],
    ['/a b', '/a%20b'],
    ['/é?ü', '/%C3%A9?%C3%BC'],
    ['/a%20b%2Fc', '/a%20b%2Fc'],
    ['/"<>`{}', '/%22%3C%3E%60%7B%7D'],
    ['/a/./b/../c', '/a/c'],
    ['/../../a', '/a'],
    ['/a/%2e%2e/b', '/b'],
    ['/a?b=//c', '/a?b=//c'],
    ['/a?b=%0a', '/a?b=%0a'],
    ['/a:b@c', '/a:b@c'],
  ])('%j goes out as %j', (path, expected) => {
    expect(plan({ path })).toEqual({ status: 302, Location: expected });
  });

  it.each([
    ['is empty', ''],
    ['is relative', 'a'],
    ['is a query', '?a'],
    ['names a host', '//evil.test/'],
    ['names a host by dots', '/.//evil.test/'],
    ['names a host by dots further on', '/a/..//evil.test/'],
    ['names a host by encoded dots', '/%2e//evil.test/'],
    ['names a host by a backslash', '/\\evil.test/'],
    ['has a backslash further on', '/a\\b'],
    ['is a URL', 'https://evil.test/'],
    ['begins with a blank', ' /a'],
    ['has a line end', '/a\r\nSet-Cookie: a=1'],
    ['has a bare line feed', '/a\nb'],
    ['has a tab, which browsers take out', '/\t/evil.test/'],
    ['has a NUL', '/a\0b'],
    ['has a DEL', '/a\x7fb'],
    ['has an encoded NUL', '/a%00b'],
    ['has an encoded line end', '/a%0D%0Ab'],
    ['has a fragment', '/a#b'],
    ['has a percent sign alone', '/100%'],
    ['has an escape of no hexadecimal digits', '/%zz'],
    ['has half a character', '/\ud83d'],
  ])('is refused where it %s', (_name, path) => {
    expect(() => plan({ path })).toThrow(expect.objectContaining({ code: 'ERR_SCGI_REDIRECT_PATH' }));
  });

  it('never leads to another host, nor out of its field', () => {
    const path = fc.string({ unit: fc.constantFrom(...'/\\.%2e?#\r\n\t @:evil'), maxLength: 12 });
    fc.assert(
      fc.property(path, (rest) => {
        let planned: Record<string, unknown>;
        try {
          planned = plan({ path: `/${rest}` });
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_SCGI_REDIRECT_PATH' });
          return;
        }
        const location = String(planned['Location']);
        expect(location).toMatch(/^\/(?!\/)[\x21-\x7e]*$/);
        expect(new URL(location, 'http://here.test/a/b').host).toBe('here.test');
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a local redirect goes to the client', () => {
  it.each<[string, Case]>([
    ['where nothing is said of the front end', { variables: apache }],
    ['of a request that came over HTTP', { frontEnd: { localRedirect: 'Location' } }],
    [
      'where Apache is said to follow, and lighttpd asks',
      { variables: lighttpd, frontEnd: { localRedirect: 'Location' } },
    ],
    ['where Apache is said to follow, and nginx asks', { variables: nginx, frontEnd: { localRedirect: 'Location' } }],
    [
      'where nginx is said to follow, and Apache asks',
      { variables: apache, frontEnd: { localRedirect: 'X-Accel-Redirect' } },
    ],
    [
      'where nginx is said to follow, and lighttpd asks',
      { variables: lighttpd, frontEnd: { localRedirect: 'x-accel-redirect' } },
    ],
    ['where the call says so', { variables: apache, frontEnd: { localRedirect: 'Location' }, here: true }],
  ])('%s', (_name, given) => {
    expect(plan(given)).toEqual({ status: 302, Location: '/x' });
  });

  it.each([
    ['GET', 302],
    ['HEAD', 302],
    ['POST', 303],
    ['PUT', 303],
    ['DELETE', 303],
  ])('of a %s with %i, so that the next one is a GET', (method, status) => {
    expect(plan({ method })).toEqual({ status, Location: '/x' });
  });
});

describe('Apache', () => {
  const frontEnd = { localRedirect: 'Location' };

  it('follows a 200 with the field that it was told of', () => {
    expect(plan({ variables: apache, frontEnd, method: 'POST' })).toEqual({ status: 200, Location: '/x' });
    expect(plan({ variables: apache, frontEnd: { localRedirect: 'X-Local' } })).toEqual({
      status: 200,
      'X-Local': '/x',
    });
  });

  const followed = (count: number): Record<string, string> => {
    const variables: Record<string, string> = { ...apache };
    for (let depth = 1; depth <= count; depth += 1) variables[`${'REDIRECT_'.repeat(depth)}URL`] = '/again';
    return variables;
  };

  it('follows five for one request, and no more', () => {
    expect(plan({ variables: followed(4), frontEnd })).toEqual({ status: 200, Location: '/x' });
    expect(() => plan({ variables: followed(5), frontEnd })).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_LOCAL_REDIRECT_LOOP', statusHint: 500 }),
    );
  });

  it('is not looked at where the client follows', () => {
    expect(plan({ variables: followed(5) })).toEqual({ status: 302, Location: '/x' });
  });

  it('does not count what a client sends', () => {
    const forged = { HTTP_REDIRECT_URL: '/', HTTP_REDIRECT_REDIRECT_URL: '/' };
    expect(plan({ variables: { ...apache, ...forged }, frontEnd })).toMatchObject({ status: 200 });
  });
});

describe('nginx', () => {
  const frontEnd = { localRedirect: 'X-Accel-Redirect' };
  const handedOver = { status: 302, Location: '/x', 'X-Accel-Redirect': '/x' };

  it('gets its field in a redirect that anybody else could follow', () => {
    expect(plan({ variables: nginx, frontEnd })).toEqual(handedOver);
    expect(plan({ variables: nginx, frontEnd, method: 'PUT' })).toEqual({ ...handedOver, status: 303 });
  });

  it.each([
    ['has come to the target already', { ...nginx, DOCUMENT_URI: '/x', QUERY_STRING: '' }],
    ['has come somewhere by itself', { ...nginx, DOCUMENT_URI: '/index' }],
    ['has another query by now', { ...nginx, QUERY_STRING: 'step=2' }],
  ])('does not get it where it %s: REQUEST_URI would be the same again', (_name, variables) => {
    expect(plan({ variables, frontEnd })).toEqual({ status: 302, Location: '/x' });
  });

  it('does not get it for what was asked for', () => {
    expect(plan({ variables: nginx, frontEnd, path: '/from?a=b' })).toEqual({ status: 302, Location: '/from?a=b' });
    expect(plan({ variables: nginx, frontEnd, path: '/from?a=b', method: 'POST' })).toHaveProperty('X-Accel-Redirect');
  });

  it.each([
    ['the path is encoded', { REQUEST_URI: '/a%20%C3%A9', DOCUMENT_URI: '/a \xc3\xa9', QUERY_STRING: '' }],
    ['the query is empty', { REQUEST_URI: '/a?', DOCUMENT_URI: '/a', QUERY_STRING: '' }],
    ['REQUEST_URI was taken away', { REQUEST_URI: '', DOCUMENT_URI: '/y', QUERY_STRING: '' }],
    ['QUERY_STRING is not sent', { REQUEST_URI: '/a?b', DOCUMENT_URI: '/a' }],
  ])('gets it where %s', (_name, variables) => {
    expect(plan({ variables, frontEnd })).toEqual(handedOver);
  });
});
