// Variables that do not come from the request, and who wins over whom.

import express from 'express';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { scgi, type GatewayOptions } from '../src/index.js';
import { startApp, startMiddleware } from './support/app.js';
import { answering } from './support/backend.js';
import { fetchFrom } from './support/front.js';

async function variablesWith(
  options: GatewayOptions,
  headers: Record<string, string> = {},
): Promise<ReadonlyMap<string, string>> {
  const backend = await answering('Status: 200 OK\r\n\r\n');
  expect((await fetchFrom(await startMiddleware(backend.target, options), '/x', { headers })).status).toBe(200);
  return (await backend.connection()).variables ?? new Map();
}

describe('env', () => {
  test('adds variables, and leaves out what is null or undefined', async () => {
    const env = { REMOTE_USER: 'me', APP_LEVEL: 3, APP_ON: true, APP_NULL: null, APP_NONE: undefined };
    const variables = await variablesWith({ env });
    expect(Object.fromEntries(variables)).toMatchObject({ REMOTE_USER: 'me', APP_LEVEL: '3', APP_ON: 'true' });
    expect(variables.has('APP_NULL') || variables.has('APP_NONE')).toBe(false);
  });

  test('wins over the request, in any case of letters', async () => {
    const env = { SERVER_NAME: 'vouched', http_x_user: 'me', HTTPS: 'on' };
    const variables = await variablesWith({ env }, { 'X-User': 'root' });
    expect(variables.get('SERVER_NAME')).toBe('vouched');
    expect(variables.get('http_x_user')).toBe('me');
    expect(variables.has('HTTP_X_USER')).toBe(false);
  });

  test('may be a function of the request, as the framework has it', async () => {
    const backend = await answering('Status: 200 OK\r\n\r\n');
    const env = (request: express.Request): Record<string, string> => ({ REMOTE_USER: request.hostname });
    await fetchFrom(await startApp(express().use(scgi(backend.target, { env }))), '/', { headers: { Host: 'me' } });
    expect((await backend.connection()).variables?.get('REMOTE_USER')).toBe('me');
  });

  test.each<[string, GatewayOptions['env']]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['gives a name that cannot be', () => ({ 'A B': 'x' })],
    ['gives CONTENT_LENGTH', () => ({ CONTENT_LENGTH: '5' })],
    ['gives HTTP_PROXY', () => ({ http_proxy: 'x' })],
    ['gives a value with a NUL', () => ({ A: 'x\0B\0y' })],
  ])('that %s makes a 500, and the backend is not called', async (_, env) => {
    const backend = await answering('Status: 200 OK\r\n\r\n');
    const front = await startMiddleware(backend.target, { env });
    expect((await fetchFrom(front)).status).toBe(500);
    expect(front.errors.map(({ code }) => code).join()).toMatch(/^ERR_SCGI_(OPTION|VARIABLE)$/);
    expect(backend.connections).toHaveLength(0);
  });

  test('is sent as UTF-8', async () => {
    const value = (await variablesWith({ env: { NAME: 'Zoë ☃' } })).get('NAME') ?? '';
    expect(Buffer.from(value, 'latin1').toString('utf8')).toBe('Zoë ☃');
  });
});

test('env wins over the state of the application, and that over the environment', async () => {
  vi.stubEnv('APP_A', 'environment');
  vi.stubEnv('APP_B', 'environment');
  vi.stubEnv('APP_C', 'environment');
  onTestFinished(() => void vi.unstubAllEnvs());
  const variables = await variablesWith({
    inheritEnvironment: ['APP_A', 'APP_B', 'APP_C'],
    appState: { b: 'state', c: 'state' },
    appStateKeys: ['b', 'c'],
    env: { APP_C: 'env' },
  });
  expect([variables.get('APP_A'), variables.get('APP_B'), variables.get('APP_C')]).toEqual([
    'environment',
    'state',
    'env',
  ]);
});

test('a getter of the state that throws makes a 500', async () => {
  const appState = {
    get broken(): string {
      throw new Error('broken');
    },
  };
  const backend = await answering('Status: 200 OK\r\n\r\n');
  const front = await startMiddleware(backend.target, { appState, appStateKeys: ['broken'] });
  expect((await fetchFrom(front)).status).toBe(500);
});

test('underscoreFields lets names with an underscore through, but never in the place of one with hyphens', async () => {
  const headers = { X_Only: '1', X_User: 'root', 'X-User': 'me' };
  const variables = await variablesWith({ underscoreFields: true }, headers);
  expect([variables.get('HTTP_X_ONLY'), variables.get('HTTP_X_USER')]).toEqual(['1', 'me']);
});

test.each(['/%00', '/a%0d%0ab', '/%0A'])('a path with a NUL or a line break is a 400: %s', async (path) => {
  const backend = await answering('Status: 200 OK\r\n\r\n');
  expect((await fetchFrom(await startMiddleware(backend.target), path)).status).toBe(400);
  expect(backend.connections).toHaveLength(0);
});
