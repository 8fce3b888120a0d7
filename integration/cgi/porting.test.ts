// One CGI program in JavaScript, run by `cgiProgram` and called by `cgiHandler`: its answers are equal, and so is what it
// sees of its environment, up to a list by name.

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cgiHandler, cgiProgram, type CgiFunction, type CgiPrograms } from '@scgi/cgi';
import { BackendError, type ScgiError } from '@scgi/core';
import { inject, type InjectedRequest } from '@scgi/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fencesOf } from '../package-check/markdown.js';

const source = readFileSync(new URL('programs/ported.mjs', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'scgi-porting-'));
const file = join(folder, 'ported.mjs');

let main: CgiFunction;

beforeAll(async () => {
  writeFileSync(file, `#!${process.execPath}\n${source}`);
  chmodSync(file, 0o755);
  ({ main } = await import(file));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
  /** Octets. A text, since to compare long buffers takes seconds. */
  readonly body: string | undefined;
  readonly broken: boolean;
  /** What `onError` has heard. */
  readonly codes: readonly string[];
}

type Way = (request: InjectedRequest) => Promise<Outcome>;

/** What becomes of a request behind nginx. */
async function outcomeOf(programs: CgiPrograms, request: InjectedRequest, errors: ScgiError[]): Promise<Outcome> {
  const answer = await inject(programs, request, { timeout: 30_000 }).catch((error: unknown) => {
    // Broken off before its head had gone out.
    if (error instanceof BackendError) return undefined;
    throw error;
  });
  programs.close();
  const { status, reason, fields = [], body, broken = true } = answer ?? {};
  const octets = body?.toString('latin1');
  return {
    status,
    reason,
    fields: withoutKnownEnd(fields),
    body: octets,
    broken,
    codes: errors.map(({ code }) => code),
  };
}

/** That there is no body is known at once here, and after a while of a process. */
function withoutKnownEnd(fields: readonly string[]): string[] {
  const at = fields.findIndex((name, index) => name === 'Content-Length' && fields[index + 1] === '0');
  return at === -1 ? [...fields] : fields.toSpliced(at, 2);
}

function ways(launcher: 'node' | 'auto', options: object = {}): { process: Way; handler: Way } {
  return {
    process: (request) => {
      const errors: ScgiError[] = [];
      const onError = (error: ScgiError): void => void errors.push(error);
      const programs = cgiProgram(file, { launcher, onError, onErrorOutput: () => {}, ...options });
      return outcomeOf(programs, request, errors);
    },
    handler: (request) => {
      const errors: ScgiError[] = [];
      const onError = (error: ScgiError): void => void errors.push(error);
      return outcomeOf(cgiHandler(main, { scriptFilename: file, onError, ...options }), request, errors);
    },
  };
}

const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

type Row = readonly [name: string, request: InjectedRequest, options?: object];

const requests: readonly Row[] = [
  ['a GET', { url: '/' }],
  ['a query', { url: '/x?a=1&b=%20' }],
  ['a path in UTF-8', { url: '/environment/caf%C3%A9' }],
  ['a path that is no UTF-8', { url: '/environment/%ff%e2%82x%c3%f0%9f' }],
  ['slashes', { url: '/environment//a///b/' }],
  ['a POST', { method: 'POST', url: '/', headers: { 'Content-Type': 'text/plain' }, body: 'four' }],
  ['a body of octets', { method: 'PUT', url: '/', body: Uint8Array.of(0, 0x0d, 0x0a, 0xff) }],
  ['an empty body', { method: 'POST', url: '/', headers: { 'Content-Length': '0' } }],
  ['a form', { method: 'POST', url: '/form', body: 'name=Zo%C3%AB+L', headers: { Cookie: 'visits=2; x=y' } }],
  ['a large upload that comes back', { method: 'POST', url: '/echo', body: Buffer.alloc(1_000_000, 'ä') }],
  ['an upload that nobody reads', { method: 'POST', url: '/status', body: Buffer.alloc(1_000_000) }],
  ['a HEAD', { method: 'HEAD', url: '/status' }],
  ['a method of one’s own', { method: 'PROPFIND', url: '/' }],
  ['fields', { url: '/', headers: ['X-A', '1', 'X-A', '2', 'X-Empty', '', 'X-Name', utf8('Zoë'), 'X-Octet', '\xff'] }],
  [
    'fields that must not get through',
    { url: '/', headers: { Proxy: 'http://evil.test', Authorization: 'Basic YTpi' } },
  ],
  ['a password', { url: '/', headers: { Authorization: 'Basic YTpi' } }, { passAuthorization: true }],
  ['TLS', { url: '/', https: true, variables: { SSL_PROTOCOL: 'TLSv1.3', SSL_CLIENT_S_DN: utf8('CN=Zoë') } }],
  [
    'what the front end vouches for',
    { url: '/', variables: { REMOTE_USER: 'ada', AUTH_TYPE: 'Basic', UNIQUE_ID: '1' } },
  ],
  ['what it must not', { url: '/', variables: { LD_PRELOAD: '/evil.so', NODE_OPTIONS: '--x', PATH: '/evil' } }],
  ['what is passed on', { url: '/', variables: { GEO_CITY: utf8('Köln'), GEO: '1' } }, { passVariables: ['GEO_*'] }],
  ['variables of one’s own', { url: '/' }, { env: { DATABASE: 'ü', REMOTE_USER: 'env' }, path: '/opt/bin:/bin' }],
  ['another root', { url: '/environment/a' }, { documentRoot: '/srv/www' }],
  ['a server name', { url: '/' }, { serverName: 'own.test' }],
  ['a mount', { url: '/mounted/here/environment/x?y' }, { mount: '/mounted/here' }],
  ['a path outside of the mount', { url: '/elsewhere' }, { mount: '/mounted' }],
  ['dots in the path', { url: '/a/%2e%2e/b' }],
  ['an encoded slash', { url: '/a%2Fb' }],
  ['an encoded slash that may be', { url: '/a%2Fb' }, { encodedSlashes: true }],
  ['a client of HTTP/1.0', { url: '/', variables: { SERVER_PROTOCOL: 'HTTP/1.0' } }],
  ['a large answer', { url: '/large' }],
  ['an answer of octets', { url: '/octets' }],
  ['a status and repeated fields', { url: '/status' }],
  ['a status line', { url: '/line' }],
  ['more than Content-Length', { url: '/length' }],
  ['a client redirect', { url: '/away' }],
  ['a client redirect with a page', { url: '/away-with-page' }],
  ['a local redirect', { method: 'POST', url: '/local?x', body: 'name=x' }],
  ['a HEAD of a local redirect', { method: 'HEAD', url: '/local' }],
  ['a local redirect out of the mount', { url: '/mounted/local' }, { mount: '/mounted' }],
  ['a loop of them', { url: '/loop' }, { maxLocalRedirects: 2 }],
  ['garbage', { url: '/garbage' }],
  ['half a head', { url: '/half' }],
];

const rows = requests.map(([name, request, options = {}]) => [name, request, options] as const);

describe('a program and a function are equal', () => {
  test.each(rows)('for %s', async (_name, request, options) => {
    const { process, handler } = ways('auto', options);
    const [expected, outcome] = [await process(request), await handler(request)];
    expect(outcome).toEqual(expected);
    // Not equal for want of an answer.
    expect(expected.status).toBeGreaterThanOrEqual(200);
  });

  // Only one of the launchers hands octets over as they are.
  const texts = rows.filter(([name]) => /UTF-8|fields|TLS|own|passed/.test(name));
  test.each(texts)('whatever starts the program, for %s', async (_name, request, options) => {
    const { process, handler } = ways('node', options);
    expect(await handler(request)).toEqual(await process(request));
  });
});

/** Where they are not equal, and must not be: what the process does, and what the handler does. */
const differences: Readonly<Record<string, readonly [InjectedRequest, process: object, handler: object, object?]>> = {
  'a program that fails before its head': [
    { url: '/throws' },
    { status: 502, codes: ['ERR_SCGI_RESPONSE_EMPTY'] },
    { status: 500, codes: ['ERR_SCGI_PROGRAM_FAILED'] },
  ],
  'a program that ends without a word, and without a promise': [
    { url: '/nothing' },
    { status: 502, codes: ['ERR_SCGI_RESPONSE_EMPTY'] },
    { status: 504, codes: ['ERR_SCGI_PROGRAM_TIMEOUT'] },
    { timeout: 2000 },
  ],
  'an answer that is shorter than it says, and all there at once': [
    { url: '/short' },
    { status: 200, broken: true, codes: ['ERR_SCGI_RESPONSE_TRUNCATED'] },
    { status: undefined, broken: true, codes: ['ERR_SCGI_RESPONSE_TRUNCATED'] },
  ],
  'the words of an indexed query': [
    { url: '/arguments?a+b' },
    { body: '["a","b"]' },
    { body: JSON.stringify(process.argv.slice(2)) },
  ],
  'the working directory': [{ url: '/folder' }, { body: folder }, { body: process.cwd() }],
};

test.each(Object.entries(differences))(
  'is different on purpose: %s',
  async (_name, [request, ran, called, options]) => {
    const { process, handler } = ways('node', options);
    expect(await process(request)).toMatchObject(ran);
    expect(await handler(request)).toMatchObject(called);
  },
);

test('the program of the README answers the same before and after its last line has changed', async () => {
  const [before, after] = fencesOf('js', 'packages/cgi/README.md').filter(({ code }) => code.includes('main'));
  const body = 'name=Zo%C3%AB';
  const program = join(folder, 'before.mjs');
  writeFileSync(program, (before?.code ?? '').replace('/usr/bin/env node', process.execPath));
  chmodSync(program, 0o755);
  const request = { method: 'POST', url: '/cgi-bin/app.js', body };
  const ran = await inject(cgiProgram(program, { mount: '/cgi-bin/app.js' }), request);
  expect(ran).toMatchObject({ status: 200, text: 'POST from Zoë\n' });

  const lines = (before?.code ?? '').split('\n').filter((line) => !/^#!|^await main/.test(line));
  const [imports = '', last = ''] = (after?.code ?? '').split(/\n(?=await serveScgi)/);
  const socket = join(folder, 'app.sock');
  const server = `const running = ${last.replace('/run/app/app.sock', socket)}process.send?.(running.endpoints.length);`;
  const child = spawn(process.execPath, ['--input-type=module', '-'], {
    cwd: dirname(import.meta.dirname),
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const listening = new Promise((resolve, reject) => child.once('message', resolve).once('exit', reject));
  child.stdin?.end([imports, ...lines, server].join('\n'));
  await listening;
  const { scgi } = await import('@scgi/client');
  const response = await scgi(`unix:${socket}`, { method: 'POST', path: '/cgi-bin/app.js', body });
  expect([response.status, await response.text()]).toEqual([200, ran.text]);
});
