// The variables that backends get, and what may not pass for them.

import { afterEach, expect, test, vi } from 'vitest';
import { createGeminiApp } from '../src/index.js';
import type { ClientCertificate, GeminiRequest, ScgiBackendOptions } from '../src/index.js';
import { resolveVariableSettings } from '../src/backend/options.js';
import { requestVariables } from '../src/backend/variables.js';
import { makeRequest } from './support/request.js';

const ada: ClientCertificate = {
  fingerprint: 'ab01',
  commonName: 'Ada Löwe',
  issuerCommonName: 'Her Mother',
  serialNumber: '07',
  notBefore: new Date('2026-01-02T03:04:05Z'),
  notAfter: undefined,
};

function variables(
  options: ScgiBackendOptions = {},
  {
    path = '/api/a%20b/%C3%BC?q=1&ü',
    certificate,
    state = {},
  }: { path?: string; certificate?: ClientCertificate; state?: Record<string, unknown> } = {},
): Record<string, string> {
  const request = makeRequest(path, {
    host: 'capsule.test:1966',
    remoteAddress: '192.0.2.7',
    remotePort: 4711,
    certificate,
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  })
    .withState(state)
    .mounted(1);
  const flat = requestVariables(request, resolveVariableSettings(options));
  return Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : [])));
}

afterEach(() => vi.unstubAllEnvs());

test('a request without a certificate makes these variables and no others', () => {
  expect(variables()).toEqual({
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'GEMINI',
    SERVER_SOFTWARE: 'scgi-gemini',
    REQUEST_METHOD: 'GET',
    GEMINI_URL: 'gemini://capsule.test:1966/api/a%20b/%C3%BC?q=1&%C3%BC',
    SCRIPT_NAME: '/api',
    PATH_INFO: '/a b/\xc3\xbc',
    QUERY_STRING: 'q=1&%C3%BC',
    SERVER_NAME: 'capsule.test',
    SERVER_PORT: '1966',
    REMOTE_ADDR: '192.0.2.7',
    REMOTE_HOST: '192.0.2.7',
    REMOTE_PORT: '4711',
    TLS_VERSION: 'TLSv1.3',
    TLS_CIPHER: 'TLS_AES_256_GCM_SHA384',
    TLS_CLIENT_AUTHORISED: '0',
  });
});

test('a certificate adds what it says, in UTF-8', () => {
  const withCertificate = variables({}, { certificate: ada });
  const without = variables();
  expect(Object.fromEntries(Object.entries(withCertificate).filter(([name]) => !(name in without)))).toEqual({
    AUTH_TYPE: 'CERTIFICATE',
    TLS_CLIENT_HASH: 'ab01',
    REMOTE_USER: 'Ada L\xc3\xb6we',
    TLS_CLIENT_SUBJECT_CN: 'Ada L\xc3\xb6we',
    TLS_CLIENT_ISSUER_CN: 'Her Mother',
    TLS_CLIENT_SERIAL_NUMBER: '07',
    TLS_CLIENT_NOT_BEFORE: '2026-01-02T03:04:05.000Z',
  });
  expect(withCertificate['TLS_CLIENT_AUTHORISED']).toBe('1');
});

test('a query that is missing is empty', () =>
  expect(variables({}, { path: '/api' })).toMatchObject({ QUERY_STRING: '', PATH_INFO: '' }));

test('the environment stays here unless it is asked for', () => {
  vi.stubEnv('SECRET_KEY', 'x');
  expect(variables()).not.toHaveProperty('SECRET_KEY');
});

test('names of the environment pass, and no others', () => {
  vi.stubEnv('SECRET_KEY', 'x');
  vi.stubEnv('LANG', 'de');
  const passed = variables({ inheritEnvironment: ['LANG', 'NOT_THERE'] });
  expect(passed).toMatchObject({ LANG: 'de' });
  expect(passed).not.toHaveProperty('SECRET_KEY');
  expect(passed).not.toHaveProperty('NOT_THERE');
});

test('the environment passes for nothing that is said of the request', () => {
  vi.stubEnv('PATH_INFO', '/forged');
  vi.stubEnv('remote_user', 'root');
  vi.stubEnv('TLS_CLIENT_HASH', 'forged');
  vi.stubEnv('AUTH_TYPE', 'CERTIFICATE');
  vi.stubEnv('HTTP_PROXY', 'http://evil.test');
  vi.stubEnv('SCGI', '2');
  vi.stubEnv('CONTENT_LENGTH', '7');
  vi.stubEnv('LANG', 'de');
  const passed = variables({ inheritEnvironment: true });
  expect(passed).toMatchObject({ PATH_INFO: '/a b/\xc3\xbc', LANG: 'de' });
  for (const name of ['remote_user', 'TLS_CLIENT_HASH', 'AUTH_TYPE', 'HTTP_PROXY', 'SCGI', 'CONTENT_LENGTH']) {
    expect(passed).not.toHaveProperty(name);
  }
});

test('of the state only the keys that are named pass, if they are there', () => {
  const state = { db_url: 'postgres://localhost/mydb', api_key: 'secret123', port: 7, nothing: null };
  const passed = variables({ appStateKeys: ['db_url', 'port', 'nothing', 'missing'] }, { state });
  expect(Object.keys(passed).filter((name) => name.startsWith('APP_'))).toEqual(['APP_DB_URL', 'APP_PORT']);
  expect(passed).toMatchObject({ APP_DB_URL: 'postgres://localhost/mydb', APP_PORT: '7' });
});

test('the state may be another one, under another prefix', () => {
  const options = { appState: { db_url: 'x' }, appStateKeys: ['db_url'], appStatePrefix: 'XITZIN_' };
  expect(variables(options, { state: { db_url: 'y' } })).toMatchObject({ XITZIN_DB_URL: 'x' });
});

test('a prefix that is no name is refused', () => {
  const refused = expect.objectContaining({ code: 'ERR_SCGI_OPTION' });
  expect(() => createGeminiApp().scgi('/', 4000, { appStatePrefix: 'A B' })).toThrow(refused);
});

test('variables of your own override the others, but not the framing', () => {
  const env = ({ certificate }: GeminiRequest): Record<string, string> => ({
    TLS_CLIENT_HASH: `SHA256:${certificate?.fingerprint.toUpperCase()}`,
    server_name: 'other.test',
    SCGI: '2',
    CONTENT_LENGTH: '7',
  });
  const passed = variables({ env }, { certificate: ada });
  expect(passed).toMatchObject({ TLS_CLIENT_HASH: 'SHA256:AB01', server_name: 'other.test' });
  for (const name of ['SERVER_NAME', 'SCGI', 'CONTENT_LENGTH']) expect(passed).not.toHaveProperty(name);
  expect(variables({ env: { EXTRA: 'ü' } })).toMatchObject({ EXTRA: '\xc3\xbc' });
});
