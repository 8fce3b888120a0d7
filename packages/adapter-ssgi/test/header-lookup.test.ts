// getHeader() reads the undecoded head; what it finds must be what @scgi/core/env makes of the same variables.

import { readRequest, resolveBodyLength } from '@scgi/core/env';
import { RequestDecoder } from '@scgi/core/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createGetHeader } from '../src/header-lookup.js';
import type { GetHeader } from '../src/index.js';
import { loadCaptures } from '../../core/test/support/captures.js';

const usual = ['REQUEST_METHOD', 'GET', 'REQUEST_URI', '/'];

function lookUp(variables: readonly string[], bodyLength = 0): GetHeader {
  const text = [...usual, ...variables].map((part) => `${part}\0`).join('');
  return createGetHeader(text, readRequest(text, bodyLength));
}

/** The fields by name, joined as RFC 9110 §5.3 says: written here once more, and otherwise. */
function joined(fields: readonly string[]): Map<string, string> {
  const lists = new Map<string, string[]>();
  fields.forEach((name, index) => {
    if (index % 2 === 0) lists.set(name, [...(lists.get(name) ?? []), fields[index + 1] ?? '']);
  });
  return new Map([...lists].map(([name, values]) => [name, values.join(name === 'cookie' ? '; ' : ', ')]));
}

describe('one field', () => {
  test('is found in any case of letters', () => {
    const getHeader = lookUp(['HTTP_X_REQUEST_ID', 'abc']);
    expect(['x-request-id', 'X-Request-Id', 'X-REQUEST-ID'].map((name) => getHeader(name))).toEqual(
      Array.from({ length: 3 }, () => 'abc'),
    );
  });

  test('is undefined if the client did not send it', () => {
    const getHeader = lookUp(['HTTP_X_A', '1']);
    expect([getHeader('x-b'), getHeader('x'), getHeader('x-a-b'), getHeader('')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is not asked for by the name of its variable', () => {
    const getHeader = lookUp(['HTTP_X_A', '1']);
    expect([getHeader('x_a'), getHeader('HTTP_X_A'), getHeader('http-x-a')]).toEqual([undefined, undefined, undefined]);
  });

  test('is no variable of the front end', () => {
    const getHeader = lookUp(['REMOTE_USER', 'ada', 'HTTPS', 'on']);
    expect([getHeader('remote-user'), getHeader('s'), getHeader('request-method')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is not found in a value that looks like a name', () => {
    expect(lookUp(['HTTP_X_A', 'HTTP_X_B', 'HTTP_X_C', 'HTTP_X_A'])('x-b')).toBeUndefined();
  });

  test('has no blanks around its value', () => {
    expect(lookUp(['HTTP_X_A', ' \tv w\t '])('x-a')).toBe('v w');
  });

  test('may be empty', () => {
    expect(lookUp(['HTTP_X_A', ''])('x-a')).toBe('');
  });

  test('comes whatever the case of the variable', () => {
    expect(lookUp(['http_x_a', '1', 'Http_X_B', '2'])('x-b')).toBe('2');
  });

  test('may have characters in its name that are rare', () => {
    expect(lookUp(['HTTP_X.DOT', '1'])('x.dot')).toBe('1');
  });
});

describe('a repeated field', () => {
  test('is joined with commas', () => {
    expect(lookUp(['HTTP_X_A', '1', 'HTTP_X_B', '-', 'HTTP_X_A', '2', 'HTTP_X_A', '3'])('x-a')).toBe('1, 2, 3');
  });

  test('is joined with semicolons if it is Cookie', () => {
    expect(lookUp(['HTTP_COOKIE', 'a=1', 'HTTP_COOKIE', 'b=2'])('cookie')).toBe('a=1; b=2');
  });

  test('counts by its last value if it can have only one', () => {
    expect(lookUp(['HTTP_HOST', 'client.test', 'HTTP_HOST', 'configured.test'])('host')).toBe('configured.test');
  });
});

describe('fields that CGI restates or drops', () => {
  test('content-type is CONTENT_TYPE, and not there if that is empty', () => {
    expect(lookUp(['CONTENT_TYPE', 'text/a', 'HTTP_CONTENT_TYPE', 'text/b'])('Content-Type')).toBe('text/a');
    expect(lookUp(['CONTENT_TYPE', '', 'HTTP_CONTENT_TYPE', 'text/b'])('content-type')).toBeUndefined();
  });

  test('content-length is that of the body', () => {
    expect(lookUp(['HTTP_CONTENT_LENGTH', '007'], 7)('content-length')).toBe('7');
    expect(lookUp([])('content-length')).toBeUndefined();
  });

  test.each(['proxy', 'expect', 'transfer-encoding', 'te', 'trailer', 'keep-alive', 'proxy-connection'])(
    '%s is dropped',
    (name) => {
      const getHeader = lookUp([`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, 'x']);
      expect([getHeader(name), Object.keys(getHeader())]).toEqual([undefined, []]);
    },
  );

  test('connection and upgrade are there where the client can be answered with 101', () => {
    const wish = ['HTTP_CONNECTION', 'Upgrade', 'HTTP_UPGRADE', 'websocket'];
    expect([lookUp(wish)('upgrade'), lookUp(wish)('connection')]).toEqual(['websocket', 'Upgrade']);
    expect(lookUp([...wish, 'SERVER_SOFTWARE', 'Apache/2.4'])('upgrade')).toBeUndefined();
    expect(lookUp(['HTTP_CONNECTION', 'close'])('connection')).toBeUndefined();
  });
});

describe('without a name', () => {
  test('all fields come, without a prototype', () => {
    const all = lookUp(['HTTP_X_A', '1', 'CONTENT_TYPE', 'text/a', 'HTTP_X_A', '2'])();
    expect(Object.getPrototypeOf(all)).toBeNull();
    expect({ ...all }).toEqual({ 'x-a': '1, 2', 'content-type': 'text/a' });
  });

  test('they are collected once', () => {
    const getHeader = lookUp(['HTTP_X_A', '1']);
    expect(getHeader()).toBe(getHeader());
  });
});

describe('as @scgi/core/env has it', () => {
  test.each(loadCaptures().map((capture) => [capture.name, capture] as const))('%s', (_name, { bytes }) => {
    const decoder = new RequestDecoder({ bodyLength: resolveBodyLength });
    decoder.receiveData(bytes);
    const event = decoder.nextEvent();
    if (event?.type !== 'head') throw new Error('no head');
    const { text, bodyLength } = event.head;
    const facts = readRequest(text, bodyLength);
    const getHeader = createGetHeader(text, facts);
    const wanted = joined(facts.fields);
    for (const [name, value] of wanted) expect([name, getHeader(name)]).toEqual([name, value]);
    expect({ ...getHeader() }).toEqual(Object.fromEntries(wanted));
  });

  test('for any fields, and for any name', () => {
    const token = fc.string({ unit: fc.constantFrom(...'ABXYabxy09_-.!'), minLength: 1, maxLength: 6 });
    const known = fc.constantFrom(
      ...'HOST COOKIE X_A x_a X-A ETAG CONTENT_TYPE CONTENT_LENGTH CONNECTION UPGRADE PROXY TE EXPECT ACCEPT'.split(
        ' ',
      ),
    );
    const prefix = fc.constantFrom('HTTP_', 'http_', 'Http_', '');
    const name = fc.tuple(prefix, fc.oneof(known, token)).map(([before, rest]) => before + rest);
    const value = fc.oneof(
      fc.constantFrom('', 'upgrade', 'HTTP_HOST', '5', ' a\t'),
      fc.string({ unit: fc.constantFrom(...'aZ09 \t,;="/\xe9\xff'), maxLength: 12 }),
    );
    // CONTENT_LENGTH is the decoder's, and a fault in it is no business of this.
    const variable = fc.tuple(name, value).filter(([text]) => text.toUpperCase() !== 'CONTENT_LENGTH');
    const asked = fc.oneof(token, known).map((text) => text.replaceAll('_', '-'));
    fc.assert(
      fc.property(fc.array(variable, { maxLength: 12 }), fc.nat(9), asked, (pairs, bodyLength, other) => {
        const text = [...usual, ...pairs.flat()].map((part) => `${part}\0`).join('');
        const facts = readRequest(text, bodyLength);
        const getHeader = createGetHeader(text, facts);
        const wanted = joined(facts.fields);
        for (const [field, expected] of wanted) expect(getHeader(field)).toBe(expected);
        expect(getHeader(other)).toBe(wanted.get(other.toLowerCase()));
        expect({ ...getHeader() }).toEqual(Object.fromEntries(wanted));
      }),
      { numRuns: 2000 },
    );
  });
});
