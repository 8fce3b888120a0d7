// What of a CGI request goes to the SCGI server, and how.

import { answer, mockBackend, type MockBackend } from '@scgi/testing';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { run } from './support/program.js';
import { compile, describeVariants, type Variant } from './support/variants.js';

const passed = [
  'AUTH_TYPE',
  'CONTENT_TYPE',
  'CONTEXT_DOCUMENT_ROOT',
  'CONTEXT_PREFIX',
  'DOCUMENT_ROOT',
  'DOCUMENT_URI',
  'GATEWAY_INTERFACE',
  'H2PUSH',
  'H2_STREAM_ID',
  'HTTP2',
  'HTTPS',
  'HTTP_ACCEPT',
  'HTTP_AUTHORIZATION',
  'HTTP_X_PROXY',
  'PATH_INFO',
  'PATH_TRANSLATED',
  'QUERY_STRING',
  'REDIRECT_ERROR_NOTES',
  'REDIRECT_HANDLER',
  'REDIRECT_HTTP_AUTHORIZATION',
  'REDIRECT_QUERY_STRING',
  'REDIRECT_REDIRECT_STATUS',
  'REDIRECT_REMOTE_USER',
  'REDIRECT_STATUS',
  'REDIRECT_URI',
  'REDIRECT_URL',
  'REMOTE_ADDR',
  'REMOTE_HOST',
  'REMOTE_IDENT',
  'REMOTE_PORT',
  'REMOTE_USER',
  'REQUEST_METHOD',
  'REQUEST_SCHEME',
  'REQUEST_URI',
  'SCRIPT_FILENAME',
  'SCRIPT_NAME',
  'SCRIPT_URI',
  'SCRIPT_URL',
  'SERVER_ADDR',
  'SERVER_ADMIN',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'SERVER_SIGNATURE',
  'SERVER_SOFTWARE',
  'SSL_CIPHER',
  'SSL_CIPHER_USEKEYSIZE',
  'SSL_CLIENT_S_DN',
  'SSL_COMPRESS_METHOD',
  'SSL_PROTOCOL',
  'SSL_SECURE_RENEG',
  'SSL_SERVER_S_DN',
  'SSL_SESSION_ID',
  'SSL_SESSION_RESUMED',
  'SSL_SRP_USER',
  'SSL_TLS_SNI',
  'SSL_VERSION_LIBRARY',
  'UNIQUE_ID',
];

const kept = [
  'AUTH_SECRET',
  'CONTENT_MD5',
  'DATABASE_URL',
  'HOME',
  'HTTP_PROXY',
  'HTTP_Proxy',
  'LD_LIBRARY_PATH',
  'NODE_OPTIONS_',
  'REDIRECT_CONTENT_LENGTH',
  'REDIRECT_DB_PASSWORD',
  'REDIRECT_HTTP_PROXY',
  'REDIRECT_REDIRECT_PATH',
  'REMOTE_DB_PASSWORD',
  'SCGI',
  'SERVER_SECRET',
  'SSL_CERT_FILE',
  'SSL_KEY_PASSPHRASE',
  'STATUS',
  'URL',
  'http_accept',
  'http_proxy',
];

describeVariants('the request of cgi2scgi', (variant) => {
  test('has its length first, then SCGI=1, and every variable once', async () => {
    const backend = await echoing();
    const env = Object.fromEntries([...passed, ...kept].map((name) => [name, `value of ${name}`]));
    const { code, errors } = await run(variant, backend.target, {
      env: { ...env, REQUEST_METHOD: 'PUT', CONTENT_LENGTH: '3' },
      body: 'abc',
    });
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const [connection] = backend.connections;
    expect(connection?.variables.slice(0, 4)).toEqual(['CONTENT_LENGTH', '3', 'SCGI', '1']);
    expect(connection?.body.toString()).toBe('abc');
    expect(connection?.env).toEqual({
      CONTENT_LENGTH: '3',
      SCGI: '1',
      ...Object.fromEntries(passed.map((name) => [name, `value of ${name}`])),
      REQUEST_METHOD: 'PUT',
    });
    expect(connection?.variables).toHaveLength(4 + 2 * passed.length);
  });

  test('has further variables if their names are given, but never HTTP_PROXY', async () => {
    const backend = await echoing();
    const env = {
      APP_MODE: 'test',
      REDIRECT_APP_MODE: 'redirected',
      GEOIP_CITY: 'x',
      GEOIP_: 'y',
      GEOI: 'z',
      APP_MODE_2: 'no',
      HTTP_PROXY: 'http://evil',
    };
    const names = '--pass=APP_MODE,GEOIP_*,HTTP_PROXY,HTTP*,REDIRECT_*,CONTENT_LENGTH,SCGI,PATH';
    await run(variant, backend.target, {
      env: { ...env, REDIRECT_HTTP_PROXY: 'http://evil', REDIRECT_X: '1', SCGI_TO: `${backend.target} ${names}` },
    });
    const seen = backend.connections[0]?.env ?? {};
    expect(seen).toMatchObject({
      APP_MODE: 'test',
      GEOIP_CITY: 'x',
      GEOIP_: 'y',
      REDIRECT_X: '1',
      CONTENT_LENGTH: '0',
    });
    expect(Object.keys(seen)).toContain('PATH');
    for (const name of ['GEOI', 'APP_MODE_2', 'HTTP_PROXY', 'REDIRECT_HTTP_PROXY', 'SCGI_TO']) {
      expect(Object.keys(seen)).not.toContain(name);
    }
  });

  test('has the octets of its variables, and an empty value', async () => {
    const octets = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)).toString('latin1');
    const { env } = await seenWith(variant, [`HTTP_X=${octets}`, 'HTTP_Y=', 'HTTP_Z=a=b=c']);
    expect(env).toMatchObject({ HTTP_X: octets, HTTP_Y: '', HTTP_Z: 'a=b=c' });
  });

  test('has of a name that is there twice, in any case of letters, the first', async () => {
    const { env, variables } = await seenWith(variant, ['HTTP_X_Y=1', 'HTTP_X_Y=2', '=x', 'HTTP_NO_VALUE']);
    expect(env['HTTP_X_Y']).toBe('1');
    expect(variables.filter((text) => text === 'HTTP_X_Y')).toHaveLength(1);
    expect(variables).not.toContain('HTTP_NO_VALUE');
    const other = await seenWith(variant, ['HTTP_a_b=1', 'HTTP_A_B=2']);
    expect(other.variables.filter((text) => /^HTTP_A_B$/i.test(text))).toHaveLength(1);
  });

  test('can be large', async () => {
    const backend = await echoing();
    const env = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`HTTP_X_${index}`, 'x'.repeat(500)]));
    const { code } = await run(variant, backend.target, { env });
    expect(code).toBe(0);
    expect(backend.connections[0]?.env).toMatchObject(env);
  });

  test.each([
    ['', 'missing', undefined],
    ['', 'empty', ''],
    ['', '0', '0'],
    ['abc', '3', '3'],
    ['abc', 'written with zeros', '003'],
    ['abc', 'less than the input', '3', 'abcdef'],
  ])('has %o as its body where CONTENT_LENGTH is %s', async (body, _, length, input = body) => {
    const backend = await echoing();
    const env = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: length };
    const { code, output } = await run(variant, backend.target, { env, body: input });
    expect({ code, output }).toEqual({ code: 0, output: 'Status: 200\r\nContent-Length: 2\r\n\r\nok' });
    const [connection] = backend.connections;
    expect(connection?.body.toString()).toBe(body);
    expect(connection?.env['CONTENT_LENGTH']).toBe(String(body.length));
    expect(connection?.bytesReceived).toBe(netstringLength(connection?.variables ?? []) + body.length);
  });

  test.each(['-1', '+3', '3 ', '0x3', '3, 3', '9007199254740992', 'x'])(
    'is refused where CONTENT_LENGTH is %o',
    async (length) => {
      const backend = await echoing();
      const env = { REQUEST_METHOD: 'POST', CONTENT_LENGTH: length };
      const { code, output, errors } = await run(variant, backend.target, { env, body: 'abc' });
      expect(code).toBe(1);
      expect(output).toMatch(/^Status: 400 Bad Request\r\n[^]*\r\n\r\n400 Bad Request\n$/);
      expect(errors).toBe('cgi2scgi: ERR_SCGI_CONTENT_LENGTH: CONTENT_LENGTH is missing, malformed or contradictory\n');
      expect(backend.connections).toHaveLength(0);
    },
  );

  test('is refused where its body comes in chunks, whose length nobody knows', async () => {
    const backend = await echoing();
    const env = { REQUEST_METHOD: 'POST', HTTP_TRANSFER_ENCODING: 'chunked' };
    const { code, output, errors } = await run(variant, backend.target, { env, body: 'abc' });
    expect(code).toBe(1);
    expect(output).toMatch(/^Status: 411 Length Required\r\n/);
    expect(errors).toMatch(/^cgi2scgi: ERR_SCGI_LENGTH_REQUIRED: .*\n$/);
    expect(backend.connections).toHaveLength(0);
  });
});

function echoing(): Promise<MockBackend> {
  const backend = mockBackend(answer({ body: 'ok' }));
  onTestFinished(async () => (await backend).close());
  return backend;
}

/** The length of a head by its variables: the digits, the colon and the comma count as well. */
function netstringLength(variables: readonly string[]): number {
  const payload = variables.reduce((sum, text) => sum + text.length + 1, 0);
  return String(payload).length + payload + 2;
}

/** Runs the program in its second argument with the environment in the file of its first: texts, each with its NUL. */
const execWithEnvironment = `
  #include <stdio.h>
  #include <string.h>
  #include <unistd.h>
  int main(int count, char **arguments)
  {
    static char texts[100000];
    char *environment[100] = {NULL};
    FILE *file = fopen(arguments[1], "r");
    size_t size = fread(texts, 1, sizeof texts, file);
    char *text = texts;
    for (int index = 0; count > 2 && index < 99 && text < texts + size; index++) {
      environment[index] = text;
      text += strlen(text) + 1;
    }
    execve(arguments[2], arguments + 2, environment);
    return 1;
  }
`;

/** Runs a program with an environment of octets, in its order: more than what Node's own `spawn` can say. */
async function seenWith(
  variant: Variant,
  variables: readonly string[],
): Promise<{ variables: readonly string[]; env: Readonly<Record<string, string>> }> {
  const backend = await echoing();
  const folder = mkdtempSync(join(tmpdir(), 'scgi-environment-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const source = join(folder, 'with.c');
  writeFileSync(source, execWithEnvironment);
  compile(join(folder, 'with'), [], source);
  const texts = ['REQUEST_METHOD=GET', 'QUERY_STRING=', `SCGI_TO=${backend.target}`, ...variables];
  writeFileSync(join(folder, 'environment'), texts.map((text) => `${text}\0`).join(''), 'latin1');
  await promisify(execFile)(join(folder, 'with'), [join(folder, 'environment'), ...variant.command()]);
  const [connection] = backend.connections;
  return { variables: connection?.variables ?? [], env: connection?.env ?? {} };
}
