import type { ResponseHead } from '../../src/protocol/index.js';
import { expect, test } from 'vitest';
import { endToEndFields } from '../../src/relay/response-fields.js';

const head = (fields: readonly string[], status = 200): ResponseHead => ({
  status,
  reason: 'OK',
  fields,
  kind: 'document',
  contentLength: undefined,
});

test.each(['Connection', 'keep-alive', 'Proxy-Connection', 'TE', 'Trailer', 'Upgrade'])('%s stays behind', (name) => {
  expect(endToEndFields(head(['A', '1', name, 'x', 'B', '2']))).toEqual(['A', '1', 'B', '2']);
});

test('fields that Connection names stay behind, wherever they stand and however they are written', () => {
  const fields = ['X-One', '1', 'Connection', 'x-ONE , x-two', 'X-Two', '2', 'X-Three', '3'];
  expect(endToEndFields(head(fields))).toEqual(['X-Three', '3']);
});

test('Content-Length is passed on even if Connection names it: it shows a truncation', () => {
  expect(endToEndFields(head(['Connection', 'content-length', 'Content-Length', '5']))).toEqual([
    'Content-Length',
    '5',
  ]);
});

test('Content-Length of a 204 stays behind', () => {
  expect(endToEndFields(head(['Content-Length', '0', 'A', '1'], 204))).toEqual(['A', '1']);
});

test('names, order and repetitions are kept', () => {
  const fields = ['set-cookie', 'a=1', 'X-A', '', 'Set-Cookie', 'b=2'];
  expect(endToEndFields(head(fields))).toEqual(fields);
});
