// A folder with an index, asked for without the slash at its end.

import type { ResponseHead } from '@scgi/core/protocol';
import { expect, test } from 'vitest';
import { SlashRedirect } from '../../src/runner/slash-redirect.js';

function redirect(target: string): { status: number; fields: readonly string[]; ended: boolean } {
  const heads: ResponseHead[] = [];
  let ended = false;
  const run = new SlashRedirect(target, {
    onInput: () => {},
    onHead: (head) => void heads.push(head),
    onBody: () => true,
    onEnd: () => (ended = true),
    onError: () => {},
  });
  run.start();
  const { status = 0, fields = [] } = heads[0] ?? {};
  return { status, fields, ended };
}

test.each([
  ['/app', '/app/'],
  ['/app?x=1&y', '/app/?x=1&y'],
  ['/caf%C3%A9%20bar', '/caf%C3%A9%20bar/'],
  ['//evil.test', '/evil.test/'],
  ['/a//b', '/a/b/'],
  ['http://host.test/app?x', '/app/?x'],
])('%s leads to %s, and never to another host', (target, location) => {
  expect(redirect(target)).toEqual({ status: 301, fields: ['Location', location], ended: true });
});
