import { expect, it } from 'vitest';
import { findWrapped } from '../../src/env/index.js';

const nameOf = (wrapper: object): string | undefined =>
  'name' in wrapper && typeof wrapper.name === 'string' ? wrapper.name : undefined;

it.each([
  ['the object itself', { name: 'a', req: { name: 'b' } }, 'a'],
  ['what it wraps as req', { req: { name: 'b' } }, 'b'],
  ['what it wraps as raw', { raw: { name: 'b' } }, 'b'],
  ['req before raw', { req: { name: 'b' }, raw: { name: 'c' } }, 'b'],
  ['the outer one of two', { req: { name: 'b', raw: { name: 'c' } } }, 'b'],
  ['four wrappings', { req: { raw: { req: { raw: { name: 'e' } } } } }, 'e'],
  ['no more than four', { req: { raw: { req: { raw: { req: { name: 'f' } } } } } }, undefined],
  ['nothing in what is no object', { req: 'name' }, undefined],
  ['nothing in null', { req: null }, undefined],
])('finds %s', (_, outer, found) => {
  expect(findWrapped(outer, nameOf)).toBe(found);
});

it('ends where wrappers refer to each other', () => {
  const outer: { req?: object } = {};
  outer.req = { raw: outer };
  expect(findWrapped(outer, nameOf)).toBeUndefined();
});
