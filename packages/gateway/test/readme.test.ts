// The tables of the README are the code's: every option, and the defaults that a middleware has.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ScgiHandler } from '../src/index.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

/** Rows of the table whose first column is headed like this: name and default. */
function rowsOf(heading: string): [string, string][] {
  const table = read('../README.md').split(`| ${heading} |`)[1]?.split('\n\n')[0] ?? '';
  return [...table.matchAll(/^\| `(\w+)(?:\([^)]*\))?` \|([^|]*)\|/gm)].map(([, name = '', value = '']) => [
    name,
    value.trim(),
  ]);
}

/** The optional properties that an interface declares itself. */
function optionsIn(path: string, name: string): string[] {
  const body = read(path).split(`export interface ${name}`)[1]?.split('\n}')[0] ?? '';
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\?:/gm)].map(([, option = '']) => option);
}

describe('the table of options', () => {
  const rows = rowsOf('option');

  test('has every option once, and no other', () => {
    const own = optionsIn('../src/options.ts', 'GatewayOptions<');
    const shared = optionsIn('../../client/src/exchange/settings.ts', 'BackendOptions ');
    const documented = rows.map(([name]) => name);
    expect(own.length).toBeGreaterThan(20);
    expect(shared.length).toBeGreaterThan(15);
    expect(documented.toSorted()).toEqual([...new Set([...own, ...shared])].toSorted());
  });

  test('has the defaults that a middleware has', () => {
    const { settings } = new ScgiHandler('127.0.0.1', 4000);
    const actual: object = { ...settings.backend.settings, ...settings };
    const shown = rows.filter(([name, value]) => Reflect.has(actual, name) && /^[0-9]/.test(value));
    expect(shown.length).toBeGreaterThan(15);
    for (const [name, value] of shown) {
      const [number = ''] = value.split(' ');
      expect(`${name} ${Reflect.get(actual, name)}`).toBe(`${name} ${number.replaceAll(',', '')}`);
    }
    expect(actual).toMatchObject({
      maxResponseSize: Infinity,
      maxConcurrent: Infinity,
      balance: 'first',
      halfClose: false,
    });
    expect(actual).toMatchObject({ firstByteTimeout: 30_000, idleTimeout: 30_000 });
  });
});

test('the table of the options of the front has every one of its own', () => {
  const documented = rowsOf('option of the front').map(([name]) => name);
  expect(documented.toSorted()).toEqual(optionsIn('../src/front/create-http-front.ts', 'HttpFrontOptions').toSorted());
});
