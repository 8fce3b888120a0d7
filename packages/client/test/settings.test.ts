// The options of a backend, and those that one request has in their place.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callSettings } from '../src/call-settings.js';
import { type BackendOptions, resolveBackendSettings } from '../src/exchange/settings.js';
import { createScgiFetch, ScgiClient } from '../src/index.js';

test('has the defaults of the documentation', () => {
  expect(resolveBackendSettings({})).toEqual({
    connectTimeout: 5000,
    firstByteTimeout: 60_000,
    idleTimeout: 60_000,
    totalTimeout: 0,
    maxHeadBytes: 65_536,
    maxLineBytes: 8192,
    maxResponseSize: Infinity,
    maxConcurrent: Infinity,
    maxQueued: 1000,
    queueTimeout: 10_000,
    retries: 0,
    retryDelay: 100,
    balance: 'first',
    maxFails: 1,
    failTimeout: 10_000,
    slowStart: 0,
    halfClose: false,
    bufferSize: 65_536,
  });
});

test('null is no limit, and 0 is zero', () => {
  const limits = ['maxHeadBytes', 'maxLineBytes', 'maxResponseSize', 'maxConcurrent', 'maxQueued'] as const;
  for (const limit of limits) {
    expect(resolveBackendSettings({ [limit]: null })[limit]).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
    expect(resolveBackendSettings({ [limit]: 0 })[limit]).toBe(0);
  }
});

test.each<[BackendOptions]>([
  [{ connectTimeout: -1 }],
  [{ idleTimeout: 1.5 }],
  [{ totalTimeout: Number.NaN }],
  [{ firstByteTimeout: 2 ** 31 }],
  [{ queueTimeout: Infinity }],
  [{ maxHeadBytes: -1 }],
  [{ maxConcurrent: 0.5 }],
  [{ retries: 101 }],
  [{ bufferSize: 0 }],
])('refuses %o', (options) => {
  const refusal = expect.objectContaining({
    code: 'ERR_SCGI_OPTION',
    details: expect.objectContaining({ option: Object.keys(options)[0] }),
  });
  expect(() => resolveBackendSettings(options)).toThrow(refusal);
  expect(() => new ScgiClient(1, options)).toThrow(refusal);
  expect(() => createScgiFetch(1, options)).toThrow(refusal);
});

test('refuses an unknown balance, and names the known ones', () => {
  const options: object = { balance: 'random' };
  expect(() => new ScgiClient(1, options)).toThrow('first, round-robin, least-connections');
});

test.each([{ maxLocalRedirects: -1 }, { maxLocalRedirects: 1.5 }])('a client refuses %o', (options) => {
  expect(() => new ScgiClient(1, options)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
});

describe('the settings of a request', () => {
  const options: BackendOptions = { idleTimeout: 5, maxResponseSize: 10, balance: 'round-robin' };
  const settings = resolveBackendSettings(options);

  test('are those of the client unless it has its own', () => {
    expect(callSettings({}, options, settings)).toBe(settings);
    expect(callSettings({ idleTimeout: undefined }, options, settings)).toBe(settings);
  });

  test('are its own where it has some, and the client\u2019s elsewhere', () => {
    const own = callSettings({ totalTimeout: 7, maxResponseSize: null, halfClose: true }, options, settings);
    expect(own).toEqual({ ...settings, totalTimeout: 7, maxResponseSize: Infinity, halfClose: true });
  });
});

describe('the README', () => {
  const read = (path: string): string => readFileSync(join(import.meta.dirname, '..', path), 'utf8');
  const optionsIn = (file: string, name: string): string[] => {
    const body = read(`src/${file}`).split(`export interface ${name} `)[1]?.split('\n}')[0] ?? '';
    return [...body.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, option = '']) => option);
  };

  test('has a row for every option, and for no other', () => {
    const declared = new Set([
      ...optionsIn('exchange/settings.ts', 'BackendOptions'),
      ...optionsIn('exchange/spool.ts', 'SpoolOptions'),
      ...optionsIn('options.ts', 'ScgiVariableOptions'),
      ...optionsIn('options.ts', 'ScgiClientOptions'),
      ...optionsIn('options.ts', 'ScgiRequestOptions'),
      ...optionsIn('fetch.ts', 'ScgiFetchOptions'),
    ]);
    const documented = [...read('README.md').matchAll(/^\| `(\w+)` +\|/gm)].map(([, option = '']) => option);
    expect(documented.toSorted()).toEqual([...declared, '4000'].toSorted());
  });
});
