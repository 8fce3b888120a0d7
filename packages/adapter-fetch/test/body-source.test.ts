// The private way to a body, and that nobody notices whether it is there.

import { describe, expect, test } from 'vitest';
import { bodySource, findsSources } from '../src/body-source.js';

const major = Number(process.versions.node.split('.')[0]);

test('is there on Node.js 20 and 22, and not later', () => {
  expect(findsSources).toBe(major < 24);
});

describe.runIf(findsSources)('where it is there', () => {
  test.each<[string, () => Response, unknown]>([
    ['text', () => new Response('a'), 'a'],
    ['empty text', () => new Response(''), ''],
    ['JSON', () => Response.json({ a: 1 }), new Uint8Array(Buffer.from('{"a":1}'))],
    ['parameters', () => new Response(new URLSearchParams({ a: '1' })), 'a=1'],
    ['bytes', () => new Response(new Uint8Array([1])), new Uint8Array([1])],
    ['part of a buffer', () => new Response(new Uint8Array([1, 2, 3]).subarray(1, 2)), new Uint8Array([2])],
    ['a clone', () => new Response('a').clone(), 'a'],
  ])('finds %s', (_what, make, source) => {
    expect(bodySource(make())).toEqual(source);
  });

  test('finds the text of a response that was cloned', () => {
    const response = new Response('a');
    response.clone();
    expect(bodySource(response)).toBe('a');
  });

  test('keeps bytes as they were when the response was made', () => {
    const bytes = new Uint8Array([1]);
    const response = new Response(bytes);
    bytes[0] = 2;
    expect(bodySource(response)).toEqual(new Uint8Array([1]));
  });
});

describe('nothing is found', () => {
  test.each<[string, () => Response | Promise<Response>]>([
    ['of a stream', () => new Response(new ReadableStream())],
    ['of nothing', () => new Response(null)],
    ['of a Blob', () => new Response(new Blob(['a']))],
    ['of a form', () => new Response(new FormData())],
    [
      'of a locked body',
      () => {
        const response = new Response('a');
        response.body?.getReader();
        return response;
      },
    ],
    ['of a body that was read', readOne],
    [
      'of a body that was cancelled',
      async () => {
        const response = new Response('a');
        await response.body?.cancel();
        return response;
      },
    ],
    ['of the response through another stream', () => new Response(new Response('a').body)],
  ])('%s', async (_what, make) => {
    expect(bodySource(await make())).toBeUndefined();
  });

  test('of what is no Response', () => {
    expect(bodySource({ status: 200, body: 'a' })).toBeUndefined();
  });
});

async function readOne(): Promise<Response> {
  const response = new Response('a');
  await response.text();
  return response;
}
