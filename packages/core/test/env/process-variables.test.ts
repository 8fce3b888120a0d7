// What of a process's environment belongs to the request: a list, so that nothing else can get into it.

import { describe, expect, it } from 'vitest';
import { ProcessVariables } from '../../src/env/process-variables.js';

describe('the variables of a request', () => {
  const variables = new ProcessVariables();

  it.each([
    'AUTH_TYPE',
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
    'HTTP_Proxy',
    'REDIRECT_HTTP_PROXY',
    'CONTENT_LENGTH',
    'REDIRECT_CONTENT_LENGTH',
    'SCGI',
    'REMOTE_DB_PASSWORD',
    'PATH',
    'HOME',
    'NODE_OPTIONS',
    'LD_LIBRARY_PATH',
    'DATABASE_URL',
    'REDIRECT_DATABASE_URL',
    'SERVER_SECRET',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
    'SSL_KEY_PASSPHRASE',
    'STATUS',
    'URL',
    'REQUEST_',
    'request_method',
    '',
  ])('do not have %s among them', (name) => expect(variables.includes(name)).toBe(false));

  it('are as many more as the application asks for, by name or by prefix', () => {
    const more = new ProcessVariables(['eppn', 'OIDC_*']);
    for (const name of ['eppn', 'OIDC_CLAIM_sub', 'REDIRECT_eppn', 'REQUEST_METHOD']) {
      expect([name, more.includes(name)]).toEqual([name, true]);
    }
    for (const name of ['eppn2', 'OIDC', 'PATH']) expect([name, more.includes(name)]).toEqual([name, false]);
  });

  it.each(['HTTP_PROXY', 'CONTENT_LENGTH', 'SCGI'])('do not have %s, whoever asks for it', (name) => {
    expect(new ProcessVariables([name, '*']).includes(name)).toBe(false);
  });
});
