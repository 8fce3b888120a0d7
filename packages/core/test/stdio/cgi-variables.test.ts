// What of a process's environment belongs to the request: a list, so that nothing else can get into it.

import { describe, expect, it } from 'vitest';
import { CgiVariables } from '../../src/stdio/cgi-variables.js';

describe('the variables of a request', () => {
  const variables = new CgiVariables();

  it.each([
    'AUTH_TYPE',
    'CONTENT_LENGTH',
    'GATEWAY_INTERFACE',
    'HTTPS',
    'HTTP_COOKIE',
    'HTTP_X_ANY_THING',
    'PATH_INFO',
    'QUERY_STRING',
    'REMOTE_ADDR',
    'REMOTE_USER',
    'REQUEST_METHOD',
    'REQUEST_URI',
    'SCRIPT_NAME',
    'SERVER_PORT',
    'SSL_CLIENT_S_DN',
    'REDIRECT_STATUS',
    'REDIRECT_URL',
    'REDIRECT_REDIRECT_STATUS',
    'REDIRECT_REQUEST_METHOD',
    'REDIRECT_HTTP_AUTHORIZATION',
    'REDIRECT_REMOTE_USER',
  ])('have %s among them', (name) => expect(variables.includes(name)).toBe(true));

  it.each([
    'HTTP_PROXY',
    'REDIRECT_HTTP_PROXY',
    'PATH',
    'HOME',
    'NODE_OPTIONS',
    'LD_LIBRARY_PATH',
    'DATABASE_URL',
    'REDIRECT_DATABASE_URL',
    'SERVER_SECRET',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'STATUS',
    'URL',
    'REQUEST_',
    'request_method',
    '',
  ])('do not have %s among them', (name) => expect(variables.includes(name)).toBe(false));

  it('are as many more as the application asks for, by name or by prefix', () => {
    const more = new CgiVariables(['eppn', 'OIDC_*']);
    for (const name of ['eppn', 'OIDC_CLAIM_sub', 'REDIRECT_eppn', 'REQUEST_METHOD']) {
      expect([name, more.includes(name)]).toEqual([name, true]);
    }
    for (const name of ['eppn2', 'OIDC', 'PATH']) expect([name, more.includes(name)]).toEqual([name, false]);
  });

  it('have no HTTP_PROXY, whoever asks for it', () => {
    expect(new CgiVariables(['HTTP_PROXY', '*']).includes('HTTP_PROXY')).toBe(false);
  });
});
