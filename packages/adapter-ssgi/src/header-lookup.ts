// `getHeader`: fields by name, read from the variables as they came. Finding one makes no other string than its value.
// Which variables are fields is decided by @scgi/core/env; where that takes more than a name, its list is asked.

import type { ScgiRequest } from '@scgi/core/env';
import type { GetHeader } from './types.js';

const PREFIX_LENGTH = 'HTTP_'.length;

/** Fields that are not simply what HTTP_* says: restated by CGI, about the client's connection, or dropped. */
const restated: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'content-type',
  'expect',
  'keep-alive',
  'proxy',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Makes the `getHeader` of a request. `text` is its undecoded head: names and values in turn, a NUL behind each. */
export function createGetHeader(text: string, facts: ScgiRequest): GetHeader {
  let all: Readonly<Record<string, string>> | undefined;
  function getHeader(name: string): string | undefined;
  function getHeader(): Readonly<Record<string, string>>;
  function getHeader(name?: string | null): string | undefined | Readonly<Record<string, string>> {
    if (name === undefined || name === null) return (all ??= collectFields(facts.fields));
    const field = name.toLowerCase();
    return restated.has(field) ? joinField(facts.fields, field) : findField(text, field, facts);
  }
  return getHeader;
}

function findField(text: string, field: string, facts: ScgiRequest): string | undefined {
  const length = PREFIX_LENGTH + field.length;
  let found: string | undefined;
  for (let start = 0; start < text.length;) {
    const nameEnd = text.indexOf('\0', start);
    const valueEnd = text.indexOf('\0', nameEnd + 1);
    if (nameEnd - start === length && isVariableOf(text, start, field)) {
      // Rare, and what becomes of several depends on the field.
      if (found !== undefined) return joinField(facts.fields, field);
      found = trimBlanks(text.slice(nameEnd + 1, valueEnd));
    }
    start = valueEnd + 1;
  }
  return found;
}

/** Whether HTTP_X_Y for `x-y` stands at `start`: in any case, as RFC 3875 §4.1 has it. */
function isVariableOf(text: string, start: number, field: string): boolean {
  for (let index = 0; index < field.length; index += 1) {
    const code = text.charCodeAt(start + PREFIX_LENGTH + index);
    const wanted = field.charCodeAt(index);
    if (code === wanted ? code === 0x5f : foldCode(code) !== wanted) return false;
  }
  return text.startsWith('HTTP_', start) || text.slice(start, start + PREFIX_LENGTH).toUpperCase() === 'HTTP_';
}

/** The field's character for that of a variable: A is a, and _ is -. */
function foldCode(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code + 0x20;
  return code === 0x5f ? 0x2d : code;
}

/** RFC 9110 §5.5: blanks around a value are none of it. nginx leaves a trailing HTAB. */
function trimBlanks(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start += 1;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1;
  return end - start === value.length ? value : value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function joinField(fields: readonly string[], field: string): string | undefined {
  let joined: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index] === field) joined = joinValues(field, joined, fields[index + 1] ?? '');
  }
  return joined;
}

function collectFields(fields: readonly string[]): Readonly<Record<string, string>> {
  const all: Record<string, string> = Object.create(null);
  for (let index = 0; index < fields.length; index += 2) {
    const field = fields[index] ?? '';
    all[field] = joinValues(field, all[field], fields[index + 1] ?? '');
  }
  return all;
}

/** RFC 9110 §5.3; RFC 9113 §8.2.3 for cookies. */
function joinValues(field: string, earlier: string | undefined, value: string): string {
  if (earlier === undefined) return value;
  return field === 'cookie' ? `${earlier}; ${value}` : `${earlier}, ${value}`;
}
