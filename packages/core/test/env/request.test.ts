import { describe, expect, it } from 'vitest';
import { readRequest, type ScgiRequest } from '../../src/env/index.js';

const read = (...variables: string[]): ScgiRequest =>
  readRequest(['CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', ...variables]);

describe('the method', () => {
  it.each(['GET', 'get', 'FROB', 'M-SEARCH'])('%s is what was sent', (method) => {
    expect(read('REQUEST_URI', '/', 'REQUEST_METHOD', method).method).toBe(method);
  });

  it.each(['', 'GET /', 'GE\tT', 'G\xc9T', '{}'])('%j is refused', (method) => {
    const expected = expect.objectContaining({ code: 'ERR_SCGI_REQUEST_METHOD' });
    expect(() => read('REQUEST_URI', '/', 'REQUEST_METHOD', method)).toThrow(expected);
  });

  it('is refused when it is missing', () => {
    const expected = expect.objectContaining({ code: 'ERR_SCGI_REQUEST_METHOD' });
    expect(() => readRequest(['CONTENT_LENGTH', '0', 'REQUEST_URI', '/'])).toThrow(expected);
  });
});

describe('the target', () => {
  it.each(['/', '/a%20b/../c//d;p=1?x=1?2#', '//host/path', '/caf\xc3\xa9', '/search?', '*', '/%00%zz'])(
    '%s is REQUEST_URI',
    (uri) => {
      expect(read('REQUEST_URI', uri, 'SCRIPT_NAME', '/x', 'PATH_INFO', '/y', 'QUERY_STRING', 'z').target).toBe(uri);
    },
  );

  it.each([
    ['http://example.com', '/'],
    ['http://example.com?q', '/?q'],
    ['HTTPS://u:p@[::1]:8443/a/b?c', '/a/b?c'],
    ['http://example.com//x', '//x'],
  ])('of %s is %s', (uri, target) => {
    expect(read('REQUEST_URI', uri).target).toBe(target);
  });

  it.each([
    ['SCRIPT_NAME and PATH_INFO', ['SCRIPT_NAME', '/app', 'PATH_INFO', '/x y'], '/app/x%20y'],
    ['with QUERY_STRING', ['SCRIPT_NAME', '', 'PATH_INFO', '/x', 'QUERY_STRING', 'a=%20'], '/x?a=%20'],
    [
      'with all their octets encoded again',
      ['PATH_INFO', '/100%/a?b#c/caf\xc3\xa9\x01'],
      '/100%25/a%3Fb%23c/caf%C3%A9%01',
    ],
    ['of a bare mount', ['SCRIPT_NAME', '', 'PATH_INFO', ''], '/'],
    ['DOCUMENT_URI', ['DOCUMENT_URI', "/d:o@c;x,y=!$&'()*+~", 'QUERY_STRING', ''], "/d:o@c;x,y=!$&'()*+~"],
  ])('without REQUEST_URI is %s', (_, variables, target) => {
    expect(read(...variables).target).toBe(target);
    expect(read('REQUEST_URI', '', ...variables).target).toBe(target);
  });

  it.each([
    ['a blank', ['REQUEST_URI', '/a b']],
    ['a control character', ['REQUEST_URI', '/a\r\nX: y']],
    ['DEL', ['REQUEST_URI', '/\x7f']],
    ['a character beyond latin1', ['REQUEST_URI', '/☃']],
    ['a path info beyond latin1', ['PATH_INFO', '/☃']],
    ['no slash', ['REQUEST_URI', 'a/b']],
    ['the authority form without CONNECT', ['REQUEST_URI', 'example.com:443']],
    ['CONNECT without a port', ['REQUEST_METHOD', 'CONNECT', 'REQUEST_URI', 'example.com']],
    ['CONNECT with a path', ['REQUEST_METHOD', 'CONNECT', 'REQUEST_URI', 'example.com/x:443']],
    ['no host in the absolute form', ['REQUEST_URI', 'http:///x']],
    ['no scheme', ['REQUEST_URI', '://host/x']],
    ['nothing to make one of', ['QUERY_STRING', 'x']],
    ['a path info without a slash', ['PATH_INFO', 'x']],
    ['a blank in the query', ['PATH_INFO', '/', 'QUERY_STRING', 'a b']],
  ])('is refused with %s', (_, variables) => {
    expect(() => read(...variables)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_REQUEST_TARGET' }));
  });
});

describe('the fields', () => {
  it('are the HTTP_* variables in their order, then those of the body', () => {
    const variables = [
      'HTTP_HOST',
      'example.com',
      'HTTP_X_Y__Z',
      '1',
      'CONTENT_TYPE',
      'text/plain',
      'HTTP_ACCEPT',
      '*/*',
    ];
    const { fields } = readRequest(['CONTENT_LENGTH', '5', 'REQUEST_METHOD', 'PUT', 'REQUEST_URI', '/', ...variables]);
    expect(fields).toEqual([
      'host',
      'example.com',
      'x-y--z',
      '1',
      'accept',
      '*/*',
      'content-type',
      'text/plain',
      'content-length',
      '5',
    ]);
  });

  it('come from names in any case of letters', () => {
    const variables = [
      'content_length',
      '0',
      'request_method',
      'GET',
      'Request_Uri',
      '/',
      'http_host',
      'a',
      'Http_X_Y',
      'b',
    ];
    expect(readRequest(variables)).toMatchObject({ method: 'GET', target: '/', fields: ['host', 'a', 'x-y', 'b'] });
  });

  it('never include what is only about the connection to the client', () => {
    const names = [
      'CONNECTION',
      'EXPECT',
      'KEEP_ALIVE',
      'PROXY',
      'PROXY_CONNECTION',
      'TE',
      'TRAILER',
      'TRANSFER_ENCODING',
      'UPGRADE',
    ];
    expect(read('REQUEST_URI', '/', ...names.flatMap((name) => [`HTTP_${name}`, 'x'])).fields).toEqual([]);
  });

  it('never include other variables, whatever HTTP they resemble', () => {
    expect(read('REQUEST_URI', '/', 'HTTPS', 'on', 'HTTP', 'x', 'REMOTE_USER', 'root').fields).toEqual([]);
  });

  it.each([
    ['Host', 'HTTP_HOST', 'host'],
    ['Authorization', 'HTTP_AUTHORIZATION', 'authorization'],
    ['Content-Type', 'CONTENT_TYPE', 'content-type'],
  ])('have the last of several %s', (_, variable, field) => {
    expect(read('REQUEST_URI', '/', variable, 'a', 'HTTP_X', 'x', variable, 'b', variable, 'c').fields).toEqual(
      expect.arrayContaining([field, 'c']),
    );
    expect(read('REQUEST_URI', '/', variable, 'a', 'HTTP_X', 'x', variable, 'c').fields).toHaveLength(4);
  });

  it('have values without the blanks around them', () => {
    expect(read('REQUEST_URI', '/', 'HTTP_X', ' \ta b\t ', 'HTTP_Y', ' \t', 'HTTP_Z', '').fields).toEqual([
      'x',
      'a b',
      'y',
      '',
      'z',
      '',
    ]);
  });

  it('have values in latin1, as they came', () => {
    expect(read('REQUEST_URI', '/', 'HTTP_X', 'caf\xc3\xa9 \xe9').fields).toEqual(['x', 'caf\xc3\xa9 \xe9']);
  });

  it.each([
    ['HTTP_X', 'a\r\nb'],
    ['HTTP_X', 'a\nb'],
    ['HTTP_X', 'a\0b'],
    ['HTTP_X', '\x7f'],
    ['HTTP_X', '☃'],
    ['CONTENT_TYPE', 'a\nb'],
    ['HTTP_', 'x'],
    ['HTTP_X Y', 'x'],
    ['HTTP_X:', 'x'],
    ['HTTP_\xc9', 'x'],
  ])('are refused with %j: %j', (name, value) => {
    expect(() => read('REQUEST_URI', '/', name, value)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_REQUEST_FIELD' }),
    );
  });
});

describe('content-length', () => {
  it.each([
    ['is left out when nobody announced a body', ['CONTENT_LENGTH', '0'], []],
    ['is 0 when the client announced an empty one', ['CONTENT_LENGTH', '0', 'HTTP_CONTENT_LENGTH', '0'], ['0']],
    ['is the length of the body', ['CONTENT_LENGTH', '0011'], ['11']],
    ['is the length that counts', ['CONTENT_LENGTH', '0', 'HTTP_CONTENT_LENGTH', '11'], ['11']],
    [
      'is not what a second field claims',
      ['CONTENT_LENGTH', '3', 'HTTP_CONTENT_LENGTH', '3', 'HTTP_CONTENT_LENGTH', '9'],
      ['3'],
    ],
  ])('%s', (_, variables, lengths) => {
    const { fields } = readRequest(['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/', ...variables]);
    expect(fields).toEqual(lengths.flatMap((length) => ['content-length', length]));
  });

  it('is what the decoder has found out', () => {
    expect(readRequest(['REQUEST_METHOD', 'POST', 'REQUEST_URI', '/'], 7).fields).toEqual(['content-length', '7']);
  });
});

describe('the peers', () => {
  it('are undefined when the front end does not say', () => {
    expect(read('REQUEST_URI', '/')).toMatchObject({
      remoteAddress: undefined,
      remotePort: undefined,
      localAddress: undefined,
      localPort: undefined,
      encrypted: false,
      httpVersionMinor: 1,
    });
  });

  it.each(['203.0.113.7', '::1', '2001:db8::7', '::ffff:203.0.113.7', 'fe80::1%eth0'])(
    '%s is an address',
    (address) => {
      expect(read('REQUEST_URI', '/', 'REMOTE_ADDR', address, 'SERVER_ADDR', `[${address}]`)).toMatchObject({
        remoteAddress: address,
        localAddress: address,
      });
    },
  );

  it.each(['', 'unix:', 'localhost', 'face', '10', '1.2.3.4\n', '/run/x.sock', '[', '[]'])(
    '%j is no address',
    (address) => {
      expect(read('REQUEST_URI', '/', 'REMOTE_ADDR', address).remoteAddress).toBeUndefined();
    },
  );

  it.each([
    ['0', 0],
    ['65535', 65535],
    ['65536', undefined],
    ['', undefined],
    ['-1', undefined],
    ['080', 80],
    ['1e3', undefined],
    ['000080', undefined],
  ])('%j as a port is %j', (port, expected) => {
    expect(read('REQUEST_URI', '/', 'REMOTE_PORT', port, 'SERVER_PORT', port)).toMatchObject({
      remotePort: expected,
      localPort: expected,
    });
  });

  it.each([
    [['HTTPS', 'on'], true],
    [['HTTPS', 'ON'], true],
    [['HTTPS', '1'], true],
    [['HTTPS', 'yes'], true],
    [['REQUEST_SCHEME', 'https'], true],
    [['REQUEST_SCHEME', 'HTTPS'], true],
    [['REQUEST_SCHEME', 'http', 'HTTPS', 'on'], true],
    [['HTTPS', 'off'], false],
    [['HTTPS', ''], false],
    [['REQUEST_SCHEME', 'http'], false],
    [['HTTP_HTTPS', 'on'], false],
  ])('%j: encrypted is %j', (variables, encrypted) => {
    expect(read('REQUEST_URI', '/', ...variables).encrypted).toBe(encrypted);
  });

  it.each([
    ['HTTP/1.0', 0],
    ['HTTP/1.1', 1],
    ['HTTP/2.0', 1],
    ['HTTP/3.0', 1],
    ['INCLUDED', 1],
  ])('%s shows as HTTP/1.%i', (protocol, minor) => {
    expect(read('REQUEST_URI', '/', 'SERVER_PROTOCOL', protocol).httpVersionMinor).toBe(minor);
  });
});
