// What the three programs cgi2scgi must have in common beyond what tests of their behaviour can list: the names of the
// variables that they pass on, and their defaults, which are those of the README.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readSettings } from '../src/cgi2scgi/settings.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const core = read('../../core/src/env/process-variables.ts');
const c = read('../native/cgi2scgi.c');
const perl = read('../native/cgi2scgi.pl');

/** The quoted texts between two marks. */
function quoted(source: string, from: string, to: string): string[] {
  const body = source.split(from)[1]?.split(to)[0] ?? '';
  return [...body.matchAll(/['"]([A-Z0-9_]+)['"]/g)].map(([, name = '']) => name).toSorted();
}

describe('the variables that are passed on', () => {
  const names = quoted(core, 'requestNames: ReadonlySet<string> = new Set([', '])');
  const prefixes = quoted(core, 'requestPrefixes: readonly string[] = [', '];');
  const redirects = quoted(core, 'redirectNames: ReadonlySet<string> = new Set([', '])');

  test('are those of the program in C', () => {
    expect([names.length, prefixes.length, redirects.length]).toEqual([33, 12, 5]);
    expect(quoted(c, 'request_names[] = {', '};')).toEqual(names);
    expect(quoted(c, 'request_prefixes[] = {', '};')).toEqual(prefixes);
    expect(quoted(c, 'redirect_names[] = {', '};')).toEqual(redirects);
  });

  test('are those of the program in Perl', () => {
    const [, words = ''] = /%request_names = map \{[^}]*\} qw\(([^)]*)\)/.exec(perl) ?? [];
    expect(words.split(/\s+/).filter(Boolean).toSorted()).toEqual(names);
    const [, ssl = ''] = /request_prefixes = qr\/\^\(\?:HTTP_\|H2_\|SSL_\(\?:([A-Z_|]+)\)\)\//.exec(perl) ?? [];
    expect(['HTTP_', 'H2_', ...ssl.split('|').map((rest) => `SSL_${rest}`)].toSorted()).toEqual(prefixes);
    const [, redirected = ''] = /\/\^\(\?:(ERROR_NOTES[A-Z_|]*)\)\\z\//.exec(perl) ?? [];
    expect(redirected.split('|').toSorted()).toEqual(redirects);
  });
});

describe('the times', () => {
  const { retryFor, connectTimeout, firstByteTimeout, idleTimeout } = readSettings(new Map([['SCGI_TO', '4000']]), []);
  const times = [retryFor, connectTimeout, firstByteTimeout, idleTimeout];
  const options = ['retry-for', 'connect-timeout', 'first-byte-timeout', 'idle-timeout'];

  test('are those of the README', () => {
    const rows = [...read('../README.md').matchAll(/^\| `--([a-z-]+)=` \| ([\d,]+) ms \|/gm)];
    expect(rows.map(([, name]) => name)).toEqual(options);
    expect(rows.map(([, , value = '']) => Number(value.replaceAll(',', '')))).toEqual(times);
  });

  test('are those of the program in C', () => {
    const [, defaults = ''] = /\} settings = \{NULL, NULL, NULL, NULL, "", NULL, ([\d, ]+)\};/.exec(c) ?? [];
    expect(defaults.split(', ').map(Number)).toEqual(times);
  });

  test('are those of the program in Perl', () => {
    const [, defaults = ''] = /my %times = \(([^)]*)\);/.exec(perl) ?? [];
    const pairs = defaults.split(', ').map((pair) => pair.split(' => '));
    expect(pairs).toEqual(options.map((name, index) => [`'${name}'`, String(times[index])]));
  });
});
