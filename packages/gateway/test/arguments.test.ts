// Arguments and options that cannot be meant: refused at once, with a message that says what to write instead.

import { describe, expect, test } from 'vitest';
import { scgi, ScgiApp, ScgiHandler, type GatewayOptions } from '../src/index.js';

/** The message of what is thrown. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toMatchObject({ name: 'LocalProtocolError', code: 'ERR_SCGI_OPTION' });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('nothing was thrown');
}

/** As from a program without types. */
const call = (...given: unknown[]): unknown => Reflect.apply(scgi, undefined, given);

test.each([
  ['nothing', [], 'no target is given'],
  ['options alone', [{ timeout: 1 }], 'no target is given'],
  ['a prefix alone', ['/api'], 'a prefix without a target'],
  ['a prefix and options', ['/api', { timeout: 1 }], 'a prefix without a target'],
  ['the path of a socket', ['/run/app.sock'], 'unix:/run/app.sock'],
  ['a prefix without its slash', ['api', 4000], "a prefix begins with '/'"],
  ['a prefix with a query', ['/api?x', 4000], 'a prefix is a path'],
  ['a port without a host', ['/api', { port: 4000 }], 'host and port go together'],
  ['a host without a port', ['/api', { host: 'h' }], 'host and port go together'],
  ['both kinds', ['/api', { host: 'h', port: 4000, socketPath: '/s' }], 'give one of them'],
  ['a URL', ['/api', 'http://127.0.0.1:4000'], 'a target is not a URL'],
  ['a target that is the path of a socket', ['/api', '/run/app.sock'], 'a path needs unix: before it'],
  ['an empty list', ['/api', []], 'at least one address'],
  ['a port that is none', ['/api', 70_000], 'the port is not a number from 1 to 65535'],
])('scgi() says what is wrong with %s', (_, given, problem) => {
  expect(refusal(() => call(...given))).toContain(problem);
});

test.each<[unknown[]]>([
  [[4000]],
  [['127.0.0.1:4000']],
  [['unix:/run/app.sock', { timeout: 1 }]],
  [['/', 4000]],
  [['/api/', 'unix:/run/app.sock', {}]],
  [['/api', [4000, 4001]]],
  [['/api', { socketPath: '/run/app.sock' }, undefined]],
])('scgi() takes %j', (given) => {
  expect(call(...given)).toBeTypeOf('function');
});

test('the handlers say what is wrong with theirs', () => {
  expect(refusal(() => new ScgiHandler('http://h', 1))).toContain('target');
  expect(refusal(() => new ScgiHandler('h', 0))).toContain('the port is not a number');
  expect(refusal(() => new ScgiApp(''))).toContain('the path is empty');
  expect(refusal(() => new ScgiApp('/s').middleware('api'))).toContain("a prefix begins with '/'");
});

test('an IPv6 host needs no brackets where it stands alone', () => {
  expect(new ScgiHandler('::1', 4000).settings.backend.text).toBe('[::1]:4000');
});

describe('an impossible option is refused when the middleware is made:', () => {
  test.each<[string, GatewayOptions]>([
    ['timeout', { timeout: -1 }],
    ['tunnelTimeout', { tunnelTimeout: 2 ** 31 }],
    ['lingerTimeout', { lingerTimeout: Number.NaN }],
    ['maxResponseSize', { maxResponseSize: -1 }],
    ['bufferSize', { bufferSize: 0 }],
    ['maxHeldBody', { maxHeldBody: -1 }],
    ['maxSpooledBody', { maxSpooledBody: 0.5 }],
    ['maxLocalRedirects', { maxLocalRedirects: -1 }],
    ['sendfile', { sendfile: { root: 'relative' } }],
    ['accelRedirect', { accelRedirect: { '/files': '/srv' } }],
    ['accelRedirect', { accelRedirect: { '/files/': 'relative' } }],
    ['appStateKeys', { appStateKeys: ['a'] }],
    ['appStateKeys', { appState: {}, appStateKeys: ['a-b'] }],
    ['appStateKeys', { appState: {}, appStateKeys: ['a', 'A'] }],
    ['appStateKeys', { appState: {}, appStateKeys: ['path_info'], appStatePrefix: '' }],
    ['appStateKeys', { appState: {}, appStateKeys: ['x'], appStatePrefix: 'HTTP_' }],
    ['appStateKeys', { appState: {}, appStateKeys: ['x'], appStatePrefix: '1' }],
    ['inheritEnvironment', { inheritEnvironment: ['A=B'] }],
    ['inheritEnvironment', { inheritEnvironment: ['HTTP_PROXY'] }],
    ['env', { env: { 'A-B': 'x' } }],
    ['env', { env: { CONTENT_LENGTH: 5 } }],
    ['env', { env: { HTTP_PROXY: 'x' } }],
  ])('%s, %o', (option, options) => {
    expect(refusal(() => scgi(4000, options))).toContain(option);
  });

  test('localRedirect', () => {
    expect(refusal(() => call(4000, { localRedirect: 'always' }))).toContain("false, 'follow', a function");
  });
});
