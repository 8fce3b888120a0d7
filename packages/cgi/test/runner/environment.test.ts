// The environment of programs: what is in it, and above all what is not.

import type { HttpRequestFacts } from '@scgi/core/env';
import { describe, expect, test } from 'vitest';
import type { EnvironmentFacts, EnvironmentSettings } from '../../src/runner/environment.js';
import { environmentOf } from '../../src/runner/environment.js';
import type { Program } from '../../src/runner/program.js';

const program: Program = {
  file: '/srv/cgi/a',
  scriptName: '/cgi-bin/a',
  pathInfo: '',
  documentRoot: '/srv/www',
  interpreter: undefined,
};

interface Given extends Partial<Omit<EnvironmentFacts, 'facts' | 'program'>> {
  readonly facts?: Partial<HttpRequestFacts>;
  readonly program?: Partial<Program>;
}

function flatEnvironment(given: Given = {}, settings: Partial<EnvironmentSettings> = {}): string[] {
  return environmentOf(
    {
      scgiEnv: undefined,
      contentLength: undefined,
      redirectedFrom: undefined,
      ...given,
      facts: { method: 'GET', target: '/cgi-bin/a', fields: [], scriptNameLength: 8, ...given.facts },
      program: { ...program, ...given.program },
    },
    { searchPath: '/usr/bin:/bin', passAuthorization: false, vouched: [], ...settings },
  );
}

function environment(given: Given = {}, settings: Partial<EnvironmentSettings> = {}): Record<string, string> {
  const flat = flatEnvironment(given, settings);
  const names = flat.filter((_, index) => index % 2 === 0);
  expect(new Set(names.map((name) => name.toUpperCase())).size).toBe(names.length);
  return Object.fromEntries(names.map((name, index) => [name, flat[index * 2 + 1] ?? '']));
}

describe('a request without a front end that vouches', () => {
  test('makes these variables and no others', () => {
    expect(environment()).toEqual({
      PATH: '/usr/bin:/bin',
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/cgi-bin/a',
      QUERY_STRING: '',
      SERVER_PROTOCOL: 'HTTP/1.1',
      GATEWAY_INTERFACE: 'CGI/1.1',
      REQUEST_SCHEME: 'http',
      SERVER_NAME: 'localhost',
      SERVER_PORT: '80',
      SERVER_SOFTWARE: expect.stringMatching(/^scgi-cgi\/\d+\.\d+\.\d+/),
      SCRIPT_NAME: '/cgi-bin/a',
      SCRIPT_FILENAME: '/srv/cgi/a',
      DOCUMENT_ROOT: '/srv/www',
    });
  });

  test('says of the peer what the socket says', () => {
    const facts = {
      remoteAddress: '192.0.2.1',
      remotePort: 59524,
      localAddress: '192.0.2.9',
      localPort: 8443,
      encrypted: true,
      serverName: 'example.com',
      httpVersion: '1.0',
    };
    expect(environment({ facts })).toMatchObject({
      REMOTE_ADDR: '192.0.2.1',
      REMOTE_PORT: '59524',
      SERVER_ADDR: '192.0.2.9',
      SERVER_PORT: '8443',
      HTTPS: 'on',
      REQUEST_SCHEME: 'https',
      SERVER_NAME: 'example.com',
      SERVER_PROTOCOL: 'HTTP/1.0',
    });
  });

  test('has the fields of the client as HTTP_*, and its Content-Type without', () => {
    const fields = ['Host', 'example.com:81', 'X-A', 'b', 'Cookie', 'c=1', 'Content-Type', 'text/x'];
    const env = environment({ facts: { fields } });
    expect(env).toMatchObject({
      HTTP_HOST: 'example.com:81',
      HTTP_X_A: 'b',
      HTTP_COOKIE: 'c=1',
      CONTENT_TYPE: 'text/x',
    });
    expect(env).not.toHaveProperty('HTTP_CONTENT_TYPE');
    expect(env['SERVER_NAME']).toBe('example.com');
  });
});

describe('the body', () => {
  test.each([
    [undefined, undefined],
    [0, '0'],
    [5, '5'],
  ])('of length %j makes CONTENT_LENGTH %j', (contentLength, expected) => {
    // Whatever a front end says of its own hop, and whatever the client's field says.
    const scgiEnv = { CONTENT_LENGTH: '77' };
    const facts = { fields: ['Content-Length', '88'] };
    const env = environment({ contentLength, scgiEnv, facts }, { vouched: ['*'] });
    expect(env['CONTENT_LENGTH']).toBe(expected);
    expect(env).not.toHaveProperty('HTTP_CONTENT_LENGTH');
  });
});

describe('the path', () => {
  test('behind the program makes PATH_INFO and PATH_TRANSLATED', () => {
    const env = environment({ program: { pathInfo: '/x y/\xe9' }, facts: { target: '/cgi-bin/a/x%20y/%e9?q=%20' } });
    expect(env).toMatchObject({
      PATH_INFO: '/x y/\xe9',
      PATH_TRANSLATED: '/srv/www/x y/\xe9',
      SCRIPT_NAME: '/cgi-bin/a',
      QUERY_STRING: 'q=%20',
      REQUEST_URI: '/cgi-bin/a/x%20y/%e9?q=%20',
    });
  });

  test('PATH_TRANSLATED has one slash where the document root ends with one', () => {
    const env = environment({ program: { pathInfo: '/x', documentRoot: '/' } });
    expect(env['PATH_TRANSLATED']).toBe('/x');
  });

  test.each(['/x%0ay', '/x%00y', '/x%0dy'])('%s is refused: a variable or a line would end in it', (path) => {
    expect(() => environment({ facts: { target: `/cgi-bin/a${path}` } })).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_REQUEST_TARGET', statusHint: 400 }),
    );
  });
});

test('a program with an interpreter gets REDIRECT_STATUS, without which php-cgi refuses', () => {
  expect(environment({ program: { interpreter: ['/usr/bin/php-cgi'] } })['REDIRECT_STATUS']).toBe('200');
  expect(environment()).not.toHaveProperty('REDIRECT_STATUS');
});

test('the length of a body is CONTENT_LENGTH and nothing else', () => {
  const env = environment({ facts: { fields: ['Content-Length', '0'] }, contentLength: 0 });
  expect(env['CONTENT_LENGTH']).toBe('0');
  expect(env).not.toHaveProperty('HTTP_CONTENT_LENGTH');
});

describe('a local redirect', () => {
  test('is told where it comes from', () => {
    const redirectedFrom = { url: '/cgi-bin/b', query: 'u=1', method: 'GET', requestUri: '/cgi-bin/login' };
    expect(environment({ redirectedFrom })).toMatchObject({
      REDIRECT_STATUS: '200',
      REDIRECT_URL: '/cgi-bin/b',
      REDIRECT_QUERY_STRING: 'u=1',
      REDIRECT_REQUEST_METHOD: 'GET',
      REQUEST_URI: '/cgi-bin/login',
    });
  });
});

describe('the secrets of the client', () => {
  const facts = { fields: ['Authorization', 'Basic c2VjcmV0', 'Proxy-Authorization', 'Basic c2VjcmV0'] };

  test('stay away from programs', () => {
    expect(JSON.stringify(environment({ facts }))).not.toContain('c2VjcmV0');
  });

  test('reach them with passAuthorization, but for those that are for a proxy', () => {
    const env = environment({ facts }, { passAuthorization: true });
    expect(env['HTTP_AUTHORIZATION']).toBe('Basic c2VjcmV0');
    expect(env).not.toHaveProperty('HTTP_PROXY_AUTHORIZATION');
  });
});

describe('a proxy that the client names (CVE-2016-5385)', () => {
  const names = ['Proxy', 'proxy', 'PROXY', 'pRoXy'];

  test.each(names)('as the field %s does not become HTTP_PROXY', (name) => {
    for (const facts of [{ fields: [name, 'http://evil'] }, { headers: { [name]: 'http://evil' } }]) {
      expect(JSON.stringify(flatEnvironment({ facts }, { vouched: ['*'] }))).not.toContain('evil');
    }
  });

  test.each(['HTTP_PROXY', 'http_proxy', 'Http_Proxy', 'HTTP_proxy'])('as the variable %s does not arrive', (name) => {
    const scgiEnv = { [name]: 'http://evil' };
    for (const vouched of [[], ['*'], [name], ['HTTP_*'], ['http_*']]) {
      expect(JSON.stringify(flatEnvironment({ scgiEnv }, { vouched }))).not.toContain('evil');
    }
  });
});

describe('what the front end vouches for', () => {
  test.each([
    ['AUTH_TYPE', 'Basic'],
    ['HTTPS', 'on'],
    ['REMOTE_ADDR', '192.0.2.1'],
    ['REMOTE_HOST', 'client.example'],
    ['REMOTE_IDENT', 'me'],
    ['REMOTE_PORT', '4000'],
    ['REMOTE_USER', 'ada'],
    ['REQUEST_SCHEME', 'https'],
    ['SCRIPT_URI', 'https://example.com/cgi-bin/a'],
    ['SCRIPT_URL', '/cgi-bin/a'],
    ['SERVER_ADDR', '192.0.2.9'],
    ['SERVER_ADMIN', 'webmaster@example.com'],
    ['SERVER_NAME', 'example.com'],
    ['SERVER_PORT', '8443'],
    ['SERVER_PROTOCOL', 'HTTP/2.0'],
    ['SERVER_SIGNATURE', '<hr>'],
    ['SERVER_SOFTWARE', 'Apache/2.4'],
    ['SSL_CLIENT_VERIFY', 'SUCCESS'],
    ['SSL_CLIENT_S_DN_0_CN', 'ada'],
    ['SSL_CLIENT_CERT', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    ['TLS_SNI', 'example.com'],
    ['TZ', 'UTC'],
    ['UNIQUE_ID', 'x1'],
  ])('%s arrives, and wins over what the socket says', (name, value) => {
    const facts = { remoteAddress: '127.0.0.1', remotePort: 1, localAddress: '127.0.0.1', localPort: 2 };
    expect(environment({ scgiEnv: { [name]: value }, facts })[name]).toBe(value);
  });

  test('in vain does not hide what is known: nginx sends an empty SERVER_NAME', () => {
    const scgiEnv = { SERVER_NAME: '', REMOTE_PORT: '', REMOTE_ADDR: undefined };
    const facts = { remoteAddress: '127.0.0.1', remotePort: 1, serverName: 'known' };
    expect(environment({ scgiEnv, facts })).toMatchObject({
      SERVER_NAME: 'known',
      REMOTE_ADDR: '127.0.0.1',
      REMOTE_PORT: '1',
    });
  });

  test.each([
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'PERL5OPT',
    'PERL5LIB',
    'PYTHONPATH',
    'PYTHONSTARTUP',
    'RUBYOPT',
    'NODE_OPTIONS',
    'BASH_ENV',
    'BASH_FUNC_echo%%',
    'ENV',
    'IFS',
    'PATH',
    'HOME',
    'GIT_SSH_COMMAND',
    'GIT_PROJECT_ROOT',
    'PHPRC',
    'PHP_VALUE',
    'PHP_ADMIN_VALUE',
    'GLIBC_TUNABLES',
    'GEO_COUNTRY',
    'PATH_TRANSLATED',
    'REDIRECT_STATUS',
    'REMOTE_USER=',
    'SCGI',
    'remote_user',
  ])('%s does not arrive unasked', (name) => {
    expect(flatEnvironment({ scgiEnv: { [name]: 'evil' } }).join()).not.toContain('evil');
  });

  test.each(['SSL_CERT_FILE', 'SSL_CERT_DIR'])('%s does not arrive: OpenSSL would trust whom it names', (name) => {
    expect(flatEnvironment({ scgiEnv: { [name]: 'evil' } }).join()).not.toContain('evil');
    expect(environment({ scgiEnv: { [name]: 'wanted' } }, { vouched: [name] })[name]).toBe('wanted');
  });

  test.each(['SSL_A=B', 'SSL_A B', 'TLS_\n', 'SSL_A\xe9', 'SSL_%%'])('%j is no name of a variable', (name) => {
    expect(flatEnvironment({ scgiEnv: { [name]: 'evil' } }, { vouched: ['*'] }).join()).not.toContain('evil');
  });

  test('SCRIPT_FILENAME and its kin are what we know, not what somebody says', () => {
    const claimed = {
      SCRIPT_FILENAME: '/etc/passwd',
      SCRIPT_NAME: '/evil',
      PATH_INFO: '/evil',
      PATH_TRANSLATED: '/evil',
      DOCUMENT_ROOT: '/evil',
      GATEWAY_INTERFACE: 'evil',
      REQUEST_METHOD: 'EVIL',
      REQUEST_URI: '/evil',
      QUERY_STRING: 'evil',
      CONTENT_TYPE: 'evil',
      CONTENT_LENGTH: '666',
      HTTP_COOKIE: 'evil',
      SCGI: 'evil',
      PATH: '/evil',
    };
    for (const vouched of [[], ['*'], Object.keys(claimed)]) {
      const text = flatEnvironment({ scgiEnv: claimed }, { vouched }).join('\n');
      expect(text).not.toMatch(/evil|EVIL|passwd|666/);
    }
  });
});

describe('passVariables', () => {
  const scgiEnv = { GEO_COUNTRY: 'CH', GEO_CITY: 'Bern', GEOX: 'x', APP_LEVEL: '3', LD_PRELOAD: 'evil' };

  test('lets variables of these names arrive', () => {
    const env = environment({ scgiEnv }, { vouched: ['GEO_CITY', 'APP_LEVEL'] });
    expect(env).toMatchObject({ GEO_CITY: 'Bern', APP_LEVEL: '3' });
    expect(env).not.toHaveProperty('GEO_COUNTRY');
  });

  test('lets all arrive whose name begins so', () => {
    const env = environment({ scgiEnv }, { vouched: ['GEO_*'] });
    expect(env).toMatchObject({ GEO_CITY: 'Bern', GEO_COUNTRY: 'CH' });
    expect(env).not.toHaveProperty('GEOX');
    expect(env).not.toHaveProperty('LD_PRELOAD');
  });
});

test('octets that are not UTF-8 stay what they are', () => {
  const all = String.fromCharCode(...Array.from({ length: 0x80 }, (_, index) => index + 0x80));
  const env = environment({
    facts: { target: `/cgi-bin/a/%ff?${all}`, fields: ['X-A', all] },
    program: { file: '/srv/\xff', pathInfo: '/\xff', documentRoot: '/srv/\xfe' },
    scgiEnv: { REMOTE_USER: all },
  });
  expect(env).toMatchObject({
    QUERY_STRING: all,
    HTTP_X_A: all,
    REMOTE_USER: all,
    SCRIPT_FILENAME: '/srv/\xff',
    PATH_TRANSLATED: '/srv/\xfe/\xff',
  });
});
