import { describe, expect, it } from 'vitest';
import {
  createEnv,
  type CgiEnv,
  type HttpHeaders,
  type HttpRequestFacts,
  readRequest,
  variablesFromHttp,
} from '../../src/env/index.js';

const convert = (request: Partial<HttpRequestFacts>): CgiEnv =>
  createEnv(variablesFromHttp({ method: 'GET', target: '/', fields: [], ...request }));

const lines = (variables: readonly string[]): string[] =>
  variables.flatMap((text, index) => (index % 2 === 0 ? [`${text}=${variables[index + 1]}`] : []));

const httpVariables = (fields: readonly string[], upgrade = false): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(convert({ fields, upgrade })).filter(([name]) => name.startsWith('HTTP_')));

describe('variablesFromHttp', () => {
  it('has everything that a gateway knows', () => {
    const variables = variablesFromHttp({
      method: 'POST',
      target: '/app/x%20y?q=%31',
      fields: ['Host', 'example.com:8443', 'Content-Type', 'text/plain', 'Content-Length', '5', 'X-A', '1'],
      httpVersion: '1.0',
      encrypted: true,
      remoteAddress: '203.0.113.7',
      remotePort: 59524,
      localAddress: '192.0.2.1',
      localPort: 8443,
      scriptName: '/app',
    });
    expect(lines(variables)).toEqual([
      'REQUEST_METHOD=POST',
      'REQUEST_URI=/app/x%20y?q=%31',
      'SCRIPT_NAME=/app',
      'PATH_INFO=/x y',
      'QUERY_STRING=q=%31',
      'SERVER_PROTOCOL=HTTP/1.0',
      'GATEWAY_INTERFACE=CGI/1.1',
      'REQUEST_SCHEME=https',
      'HTTPS=on',
      'SERVER_NAME=example.com',
      'SERVER_PORT=8443',
      'SERVER_ADDR=192.0.2.1',
      'REMOTE_ADDR=203.0.113.7',
      'REMOTE_PORT=59524',
      'HTTP_HOST=example.com:8443',
      'CONTENT_TYPE=text/plain',
      'HTTP_X_A=1',
    ]);
  });

  it('leaves out what it does not know', () => {
    expect({ ...convert({}) }).toEqual({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/',
      SCRIPT_NAME: '',
      PATH_INFO: '/',
      QUERY_STRING: '',
      SERVER_PROTOCOL: 'HTTP/1.1',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_SCHEME: 'http',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '80',
    });
  });

  it.each([
    ['/app', '/app', '/app', ''],
    ['/app/', '/app', '/app', '/'],
    ['/app?q', '/app/', '/app', ''],
    ['/a%20b/c%2Fd', '/a%20b', '/a b', '/c/d'],
    ['*', '', '', ''],
  ])('cuts %s at %j into %j and %j', (target, scriptName, name, pathInfo) => {
    expect(convert({ target, scriptName })).toMatchObject({
      REQUEST_URI: target,
      SCRIPT_NAME: name,
      PATH_INFO: pathInfo,
    });
  });

  it.each([
    ['/a%2Fb/c', 6, '/a/b', '/c'],
    ['/api', 4, '/api', ''],
    ['/api?x', 4, '/api', ''],
    ['http://h/api/x', 4, '/api', '/x'],
  ])('cuts %s behind %i characters of its path', (target, scriptNameLength, name, pathInfo) => {
    expect(convert({ target, scriptNameLength })).toMatchObject({ SCRIPT_NAME: name, PATH_INFO: pathInfo });
  });

  it('takes the host of an absolute form, and its path', () => {
    const env = convert({ target: 'http://other.example:81/x?q', fields: ['Host', 'example.com'] });
    expect(env).toMatchObject({ REQUEST_URI: '/x?q', HTTP_HOST: 'other.example:81', SERVER_NAME: 'other.example' });
  });

  it.each([
    ['', 'ERR_SCGI_REQUEST_TARGET'],
    ['/a b', 'ERR_SCGI_REQUEST_TARGET'],
    ['/\n', 'ERR_SCGI_REQUEST_TARGET'],
    ['/☃', 'ERR_SCGI_REQUEST_TARGET'],
    ['/%00', 'ERR_SCGI_REQUEST_TARGET'],
    ['/%0d', 'ERR_SCGI_REQUEST_TARGET'],
    ['/a%0Ab', 'ERR_SCGI_REQUEST_TARGET'],
  ])('refuses the target %j', (target, code) => {
    expect(() => convert({ target })).toThrow(expect.objectContaining({ code }));
  });

  it('refuses a target outside the mount point', () => {
    const expected = expect.objectContaining({ code: 'ERR_SCGI_OPTION' });
    expect(() => convert({ target: '/appzzz', scriptName: '/app' })).toThrow(expected);
  });

  it('refuses a method that is no token', () => {
    const expected = expect.objectContaining({ code: 'ERR_SCGI_REQUEST_METHOD' });
    expect(() => convert({ method: 'GET /' })).toThrow(expected);
  });
});

describe('the fields', () => {
  it.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic eDp5'],
    ['TE', 'trailers'],
    ['Trailer', 'X-Sum'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'websocket'],
    ['Expect', '100-continue'],
    ['Content-Length', '5'],
    ['Proxy', 'http://evil.example'],
    ['X_Forwarded_For', '127.0.0.1'],
  ])('%s stays with the gateway', (name, value) => {
    expect(httpVariables([name, value])).toEqual({});
  });

  it('an announced length of 0 is passed on, which CONTENT_LENGTH alone cannot tell from none', () => {
    expect(httpVariables(['Content-Length', '0'])).toEqual({ HTTP_CONTENT_LENGTH: '0' });
    const variables = variablesFromHttp({ method: 'POST', target: '/', fields: ['Content-Length', '0'] });
    expect(readRequest(variables, 0).fields).toEqual(['content-length', '0']);
  });

  describe('with an underscore, when they are asked for', () => {
    const underscored = (...fields: string[]): Record<string, string | undefined> =>
      Object.fromEntries(
        Object.entries(convert({ fields, underscoreFields: true })).filter(([name]) => /^HTTP_|^CONTENT_/.test(name)),
      );

    it('go on, joined where they repeat', () => {
      expect(underscored('X_A', '1', 'x_b', '2', 'X_a', '3')).toEqual({ HTTP_X_A: '1, 3', HTTP_X_B: '2' });
    });

    it.each([
      ['after it', ['X-User', 'me', 'X_User', 'root']],
      ['before it', ['X_User', 'root', 'X-User', 'me']],
      ['written twice', ['X_User', 'root', 'X-User', 'me', 'x_user', 'root']],
    ])('never pass for a field with hyphens that comes %s', (_, fields) => {
      expect(underscored(...fields)).toEqual({ HTTP_X_USER: 'me' });
    });

    it('are not mixed with others of the same variable', () => {
      expect(underscored('A_B-C', '1', 'A-B_C', '2')).toEqual({ HTTP_A_B_C: '1' });
    });

    it.each(['Content_Length', 'Content_Type', 'Transfer_Encoding', 'Proxy_Connection', 'Proxy_Authorization'])(
      'do not pass for what stays with the gateway: %s',
      (name) => expect(underscored(name, '0')).toEqual({}),
    );

    it('stay when Connection names them, in either spelling', () => {
      expect(underscored('Connection', 'x_a, x-b', 'X_A', '1', 'X_B', '2', 'X_C', '3')).toEqual({ HTTP_X_C: '3' });
    });
  });

  it('that Connection names stay too', () => {
    const fields = ['X-A', '1', 'Connection', 'x-a ,X-C', 'X-B', '2', 'X-C', '3', 'Connection', 'x-d', 'X-D', '4'];
    expect(httpVariables(fields)).toEqual({ HTTP_X_B: '2' });
  });

  it('that a request cannot do without stay whatever Connection names', () => {
    const fields = ['Connection', 'host, content-type', 'Host', 'a', 'Content-Type', 'b'];
    expect(convert({ fields })).toMatchObject({ HTTP_HOST: 'a', CONTENT_TYPE: 'b' });
  });

  it('of an upgrade go on when the gateway tunnels it', () => {
    const fields = ['Connection', 'keep-alive, Upgrade, x-a', 'Upgrade', 'websocket', 'X-A', '1'];
    expect(httpVariables(fields, true)).toEqual({ HTTP_CONNECTION: 'upgrade', HTTP_UPGRADE: 'websocket' });
  });

  it('that repeat are joined, or the first one counts where Node shows the first one', () => {
    const fields = ['X-A', '1', 'Cookie', 'a=1', 'Host', 'a', 'x-a', '2', 'cookie', 'b=2', 'host', 'b'];
    expect(httpVariables(fields)).toEqual({ HTTP_X_A: '1, 2', HTTP_COOKIE: 'a=1; b=2', HTTP_HOST: 'a' });
  });

  it.each([
    ['X-A', 'a\r\nb'],
    ['X-A', 'a\0b'],
    ['X-A', '☃'],
    ['X A', 'x'],
    ['', 'x'],
    ['Content-Type', 'a\nb'],
  ])('are refused with %j: %j', (name, value) => {
    expect(() => httpVariables([name, value])).toThrow(expect.objectContaining({ code: 'ERR_SCGI_VARIABLE' }));
  });
});

describe('fields by name, as Node has them', () => {
  const fromHeaders = (headers: HttpHeaders): Record<string, string | undefined> =>
    Object.fromEntries(Object.entries(convert({ headers })).filter(([name]) => /^HTTP_|^CONTENT_/.test(name)));

  it('go on by the same rules', () => {
    const headers = {
      host: 'a',
      connection: 'x-secret, keep-alive',
      'x-secret': '1',
      x_y: '2',
      proxy: '3',
      'content-type': 'text/plain',
      'x-list': ['4', '5'],
      'x-gone': undefined,
    };
    expect(fromHeaders(headers)).toEqual({ HTTP_HOST: 'a', CONTENT_TYPE: 'text/plain', HTTP_X_LIST: '4, 5' });
  });

  it.each([
    ['after', { 'x-user': 'client', 'X-User': 'middleware' }],
    ['before', { 'X-User': 'middleware', 'x-user': 'client' }],
  ])('that middleware has set in its own spelling win: %s the one of the client', (_, headers) => {
    expect(fromHeaders(headers)).toEqual({ HTTP_X_USER: 'middleware' });
  });
});
