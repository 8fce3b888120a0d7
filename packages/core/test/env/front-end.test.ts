// One test for each thing that a front end does in its own way; what each one sends is in fixtures/captures.

import { describe, expect, it } from 'vitest';
import { readRequest, type ScgiRequest } from '../../src/env/index.js';

const read = (...variables: string[]): ScgiRequest =>
  readRequest(['CONTENT_LENGTH', '0', 'SCGI', '1', 'REQUEST_METHOD', 'GET', ...variables]);

describe('nginx', () => {
  it('sends CONTENT_TYPE empty for a request without one', () => {
    expect(read('REQUEST_URI', '/', 'CONTENT_TYPE', '').fields).toEqual([]);
  });

  it('sends HTTP_PROXY (httpoxy), which is no field', () => {
    expect(read('REQUEST_URI', '/', 'HTTP_PROXY', 'http://evil.example:8080').fields).toEqual([]);
  });

  it('sends HTTP_TRANSFER_ENCODING although it has taken the chunks apart', () => {
    expect(read('REQUEST_URI', '/', 'HTTP_TRANSFER_ENCODING', 'chunked').fields).toEqual([]);
  });

  it('before 1.23 sends a repeated field as a repeated variable', () => {
    const { fields } = read('REQUEST_URI', '/', 'HTTP_X_A', '1', 'HTTP_X_B', 'b', 'HTTP_X_A', '2');
    expect(fields).toEqual(['x-a', '1', 'x-b', 'b', 'x-a', '2']);
  });

  it('sends a configured value after the one of an include: the last Host, target and method count', () => {
    const configured = ['REQUEST_URI', '/override', 'REQUEST_METHOD', 'PUT', 'HTTP_HOST', 'app'];
    const request = read('REQUEST_URI', '/dup', 'HTTP_HOST', 'client', ...configured);
    expect(request).toMatchObject({ method: 'PUT', target: '/override', fields: ['host', 'app'] });
  });

  it('leaves a tab at the end of a value', () => {
    expect(read('REQUEST_URI', '/', 'HTTP_X_A', 'v  \t').fields).toEqual(['x-a', 'v']);
  });

  it('with ignore_invalid_headers off sends names with a dot', () => {
    expect(read('REQUEST_URI', '/', 'HTTP_X.DOT', '1').fields).toEqual(['x.dot', '1']);
  });

  it('keeps REQUEST_URI through a rewrite', () => {
    expect(read('REQUEST_URI', '/rw/foo%20bar?x=1', 'DOCUMENT_URI', '/app1/new/foo bar').target).toBe(
      '/rw/foo%20bar?x=1',
    );
  });

  it('has no address for a client on a Unix socket', () => {
    const request = read('REQUEST_URI', '/', 'REMOTE_ADDR', 'unix:', 'REMOTE_PORT', '');
    expect(request.remoteAddress).toBeUndefined();
    expect(request.remotePort).toBeUndefined();
  });

  it.each([
    ['/app2/x%20y?q', '/app2', '/app2'],
    ['/app2', '/app2', '/app2'],
    ['/%61pp2/x', '/app2', '/%61pp2'],
    ['/app2/x', '/app2/', '/app2'],
    ['/a%20b/x', '/a b', '/a%20b'],
    ['/app2zzz/y', '/app2', ''],
    ['/x', '/', ''],
  ])('mounts %s at the configured SCRIPT_NAME %s: %j', (uri, scriptName, mount) => {
    expect(read('SCRIPT_NAME', scriptName, 'REQUEST_URI', uri).scriptName).toBe(mount);
  });
});

describe('Apache', () => {
  const apache = ['SERVER_SOFTWARE', 'Apache', 'SCRIPT_FILENAME', 'proxy:scgi://127.0.0.1:4000/other'];

  it('keeps the absolute form', () => {
    expect(read(...apache, 'REQUEST_URI', 'http://other.example:8080/abs/path?q=1').target).toBe('/abs/path?q=1');
  });

  it('forwards CONNECT', () => {
    expect(read(...apache, 'REQUEST_METHOD', 'CONNECT', 'REQUEST_URI', 'example.com:443').target).toBe(
      'example.com:443',
    );
  });

  it('has the whole decoded path as SCRIPT_NAME, which is no mount point', () => {
    expect(read(...apache, 'REQUEST_URI', '/other', 'SCRIPT_NAME', '/other').scriptName).toBe('');
  });

  it('after a local redirect has the first REQUEST_URI, and the new path as SCRIPT_NAME', () => {
    const first = ['REDIRECT_REQUEST_METHOD', 'POST', 'REDIRECT_REQUEST_URI', '/r?old', 'REDIRECT_STATUS', '200'];
    const second = ['REDIRECT_URL', '/r', 'REQUEST_URI', '/r?old', 'SCRIPT_NAME', '/other page', 'QUERY_STRING', 'x'];
    const request = read(...apache, ...first, ...second);
    expect(request).toMatchObject({ target: '/other%20page?x', scriptName: '' });
  });

  it('after a local redirect has encoded slashes in SCRIPT_NAME, the only escapes that NoDecode keeps', () => {
    const first = ['REDIRECT_REQUEST_METHOD', 'GET', 'REDIRECT_URL', '/r', 'REQUEST_URI', '/r'];
    const second = ['SCRIPT_NAME', '/a b/%2F%2f/100%/\xe9', 'QUERY_STRING', 'x=%252F'];
    expect(read(...apache, ...first, ...second).target).toBe('/a%20b/%2F%2f/100%25/%E9?x=%252F');
  });

  it('asks for an error document as after a local redirect', () => {
    const failed = ['REDIRECT_REQUEST_METHOD', 'GET', 'REDIRECT_STATUS', '404', 'REDIRECT_URL', '/no/such/file'];
    const second = ['REQUEST_URI', '/no/such/file?q=1', 'SCRIPT_NAME', '/app/missing', 'QUERY_STRING', ''];
    expect(read(...apache, ...failed, ...second).target).toBe('/app/missing');
  });

  it('after a rewrite in a directory context has REDIRECT_URL too, but the first REQUEST_URI stays', () => {
    const rewrite = [
      'REDIRECT_STATUS',
      '200',
      'REDIRECT_URL',
      '/pretty',
      'REQUEST_URI',
      '/pretty',
      'SCRIPT_NAME',
      '/other',
    ];
    const request = read(...apache, ...rewrite);
    expect(request.target).toBe('/pretty');
  });

  describe('as it runs a CGI program', () => {
    const cgi = ['SERVER_SOFTWARE', 'Apache/2.4.71 (Debian)', 'SCRIPT_FILENAME', '/usr/lib/cgi-bin/app.cgi'];
    const program = [...cgi, 'SCRIPT_NAME', '/cgi-bin/app.cgi'];

    it('mounts it at SCRIPT_NAME', () => {
      const request = read(...program, 'PATH_INFO', '/a b/x', 'REQUEST_URI', '/cgi-bin/app.cgi/a%20b//x?q=1');
      expect(request).toMatchObject({ target: '/cgi-bin/app.cgi/a%20b//x?q=1', scriptName: '/cgi-bin/app.cgi' });
    });

    it('has the first REQUEST_URI after a local redirect, and the new path in SCRIPT_NAME and PATH_INFO', () => {
      const first = ['REDIRECT_REQUEST_METHOD', 'POST', 'REDIRECT_URL', '/cgi-bin/old.pl', 'REDIRECT_STATUS', '200'];
      const second = ['REQUEST_URI', '/cgi-bin/old.pl', 'PATH_INFO', '/there%2Fx y', 'QUERY_STRING', 'q=2'];
      expect(read(...program, ...first, ...second)).toMatchObject({
        target: '/cgi-bin/app.cgi/there%2Fx%20y?q=2',
        scriptName: '/cgi-bin/app.cgi',
      });
    });

    it('has the URL that was asked for after a rewrite, which is outside of SCRIPT_NAME', () => {
      const rewrite = ['REDIRECT_STATUS', '200', 'REDIRECT_URL', '/pretty/a b', 'PATH_INFO', '/a b'];
      expect(read(...program, ...rewrite, 'REQUEST_URI', '/pretty/a%20b')).toMatchObject({
        target: '/pretty/a%20b',
        scriptName: '',
      });
    });
  });

  it('joins cookies with a comma, which may as well be part of a value, so it stays', () => {
    expect(read(...apache, 'REQUEST_URI', '/', 'HTTP_COOKIE', 'a=1; b=2, c=3').fields).toEqual([
      'cookie',
      'a=1; b=2, c=3',
    ]);
  });

  it('puts an IPv6 address into brackets', () => {
    expect(read(...apache, 'REQUEST_URI', '/', 'SERVER_ADDR', '[::1]', 'REMOTE_ADDR', '::1')).toMatchObject({
      localAddress: '::1',
      remoteAddress: '::1',
    });
  });
});

describe('lighttpd', () => {
  it('sends REDIRECT_STATUS and REDIRECT_URI without any redirect', () => {
    const variables = ['REDIRECT_STATUS', '200', 'REDIRECT_URI', '/a/b/', 'SCRIPT_NAME', '', 'PATH_INFO', '/a/b/'];
    expect(read('REQUEST_URI', '//a//b/', ...variables).target).toBe('//a//b/');
  });

  it('has the mount point as SCRIPT_NAME', () => {
    expect(read('REQUEST_URI', '/app/x', 'SCRIPT_NAME', '/app', 'PATH_INFO', '/x').scriptName).toBe('/app');
  });

  it('cuts SCRIPT_NAME off a path that it has cleaned up before: then it is no part of the target', () => {
    expect(read('REQUEST_URI', '//a//b/', 'SCRIPT_NAME', '/a', 'PATH_INFO', '/b/').scriptName).toBe('');
  });

  it('sends X_Under and X-Under as one name twice', () => {
    const { fields } = read('REQUEST_URI', '/', 'HTTP_X_UNDER', 'underscore', 'HTTP_X_UNDER', 'dash');
    expect(fields).toEqual(['x-under', 'underscore', 'x-under', 'dash']);
  });
});

describe('a length without a body behind lighttpd', () => {
  it.each([
    ['0 is what the client announced', '0', ['content-length', '0']],
    ['9999 is a field Content_Length of the client (1.4.69)', '9999', []],
    ['2 is what is left of a POST that an error handler has turned into a GET', '2', []],
  ])('of %s', (_, announced, fields) => {
    const variables = ['SERVER_SOFTWARE', 'lighttpd/1.4.69', 'HTTP_CONTENT_LENGTH', announced];
    expect(read('REQUEST_URI', '/', ...variables).fields).toEqual(fields);
  });
});

describe('an upgrade', () => {
  const handshake = ['REQUEST_URI', '/ws', 'HTTP_CONNECTION', 'keep-alive, Upgrade', 'HTTP_UPGRADE', 'websocket'];

  it.each([
    ['nginx, which names itself nowhere', []],
    ['nginx that was told to name itself', ['SERVER_SOFTWARE', 'nginx/1.31.5']],
    ['lighttpd from 1.4.74', ['SERVER_SOFTWARE', 'lighttpd/1.4.74']],
    ['lighttpd that hides its version', ['SERVER_SOFTWARE', 'lighttpd']],
  ])('reaches the application behind %s', (_, variables) => {
    const request = read(...handshake, ...variables);
    expect(request.upgrade).toBe('websocket');
    expect(request.fields).toEqual(['connection', 'keep-alive, Upgrade', 'upgrade', 'websocket']);
  });

  it.each([
    ['Apache', ['SERVER_SOFTWARE', 'Apache/2.4.71 (Debian)']],
    ['Apache under another name', ['SERVER_SOFTWARE', 'secret', 'SCRIPT_FILENAME', 'proxy:scgi://localhost/ws']],
    ['lighttpd before 1.4.74', ['SERVER_SOFTWARE', 'lighttpd/1.4.69']],
  ])('does not behind %s, where the client would hang', (_, variables) => {
    const request = read(...variables, ...handshake);
    expect(request.upgrade).toBeUndefined();
    expect(request.fields).toEqual([]);
  });

  it.each([
    ['without Connection', ['HTTP_UPGRADE', 'websocket']],
    ['that Connection does not name', ['HTTP_UPGRADE', 'websocket', 'HTTP_CONNECTION', 'keep-alive']],
    ['of which only a part is named', ['HTTP_UPGRADE', 'websocket', 'HTTP_CONNECTION', 'upgraded']],
    ['to nothing', ['HTTP_UPGRADE', '', 'HTTP_CONNECTION', 'upgrade']],
    ['that lighttpd has taken out', ['HTTP_CONNECTION', 'upgrade']],
  ])('%s is none', (_, variables) => {
    const request = read('REQUEST_URI', '/ws', ...variables);
    expect(request.upgrade).toBeUndefined();
    expect(request.fields).toEqual([]);
  });

  it.each([
    ['first', ['upgrade', 'keep-alive']],
    ['second', ['keep-alive', 'upgrade']],
  ])('is found in the %s of two Connection fields', (_, [one = '', two = '']) => {
    const variables = ['HTTP_CONNECTION', one, 'HTTP_CONNECTION', two, 'HTTP_UPGRADE', 'websocket'];
    expect(read('REQUEST_URI', '/ws', ...variables).upgrade).toBe('websocket');
  });
});
