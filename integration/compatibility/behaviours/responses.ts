// What the client gets: status, fields and body, as the application made them.

import { allBytes, cookies, hello, large, umlauts } from '../kinds/content.js';
import { describeBody, digest } from '../support/answer-reader.js';
import { valuesOf, view, type Observation } from '../support/client.js';
import type { Answer } from '../support/exchange.js';
import type { Behaviour } from './behaviour.js';

/** Asks for a target and shows the whole answer. */
const whole = (target: string, expected: Observation, method = 'GET'): Behaviour => ({
  observe: async (client) => view(await client.ask({ method, target })),
  expected: { ending: 'whole', ...expected },
});

const fieldsOf = (
  target: string,
  expected: readonly string[],
  show: (answer: Answer) => readonly string[],
): Behaviour => ({
  observe: async (client) => {
    const answer = await client.ask({ target });
    return { status: answer.status, seen: show(answer) };
  },
  expected: { status: 200, seen: expected },
});

const startingWith =
  (start: string) =>
  ({ fields = [] }: Answer): readonly string[] =>
    fields.flatMap(([name, value]) => (name.startsWith(start) ? [`${name} ${value.length}`] : [])).toSorted();

const lengthOfHead = (target: string, length: string): Behaviour => ({
  observe: async (client) => {
    const answer = await client.ask({ method: 'HEAD', target });
    const { status, ending, body } = answer;
    return { status, ending, body: body.length, length: valuesOf(answer, 'content-length') };
  },
  expected: { status: 200, ending: 'whole', body: 0, length: [length] },
});

/** Without the fields: lighttpd adds some to a response that it happens to have as a whole. */
const content = (target: string, body: Uint8Array): Behaviour => ({
  observe: async (client) => {
    const answer = await client.ask({ target });
    const { status, ending } = answer;
    return { status, type: valuesOf(answer, 'content-type'), body: describeBody(answer.body), ending };
  },
  expected: { status: 200, body: sum(body), ending: 'whole' },
});

const sum = (body: Uint8Array): string => `${body.length} bytes, sha256 ${digest(body)}`;

export const responses = {
  'sends text': whole('/hello', { status: '200 OK', body: hello }),
  'sends a status and a reason': {
    observe: async (client) => {
      const { status, reason } = await client.ask({ target: '/created' });
      return { status, reason };
    },
    expected: { status: 201, reason: 'Made Here' },
    // @hono/node-server leaves the phrase to Node.
    exceptions: { Fetch: { status: 201, reason: 'Created' } },
  },
  'sends fields of the application': {
    observe: async (client) => {
      const answer = await client.ask({ target: '/created' });
      return { fields: ['x-one', 'x-two'].map((name) => valuesOf(answer, name)), body: answer.body.toString() };
    },
    expected: { fields: [['first'], ['second']], body: 'made\n' },
  },
  'sends cookies one by one': fieldsOf('/cookies', cookies, (answer) => valuesOf(answer, 'set-cookie')),
  'sends Latin-1 in a field': fieldsOf('/latin1', ['caf\xe9'], (answer) => valuesOf(answer, 'x-latin1')),
  'sends an empty field': fieldsOf('/empty-field', [''], (answer) => valuesOf(answer, 'x-empty')),
  'sends a head of 3 KB': fieldsOf(
    '/many-fields',
    Array.from({ length: 30 }, (_, at) => `x-many-${at} 90`).toSorted(),
    startingWith('x-many-'),
  ),
  'sends a head of 7 KB': fieldsOf(
    '/huge-fields',
    Array.from({ length: 7 }, (_, at) => `x-huge-${at} 1000`),
    startingWith('x-huge-'),
  ),
  'sends all though only a part was asked for': {
    observe: async (client) => {
      const { status, body } = await client.ask({ target: '/hello', fields: [['Range', 'bytes=0-2']] });
      return { status, body: body.toString() };
    },
    expected: { status: 200, body: hello },
  },
  'sends JSON': whole('/json-answer', { status: '200 OK', body: Buffer.from('{"hello":"wörld"}').toString('latin1') }),
  'sends text in UTF-8': whole('/umlauts', {
    status: '200 OK',
    fields: { 'content-type': 'text/plain; charset=utf-8' },
    body: Buffer.from(umlauts).toString('latin1'),
  }),
  'sends every octet': whole('/binary', { status: '200 OK', body: allBytes.toString('latin1') }),
  'sends five megabytes': content('/large', large),
  'sends a file': content('/file', large.subarray(0, 100_000)),
  'sends no octets': whole('/nothing', { status: '200 OK', body: '' }),
  'keeps the stated length of a body': {
    observe: async (client) => {
      const answer = await client.ask({ target: '/file' });
      return { length: valuesOf(answer, 'content-length'), body: answer.body.length };
    },
    expected: { length: ['100000'], body: 100_000 },
  },
  'answers HEAD with the length of the text': lengthOfHead('/hello', `${hello.length}`),
  'answers HEAD with the length of a file': lengthOfHead('/file', '100000'),
  'sends 204 without a body': whole('/no-content', { status: '204 No Content', body: '' }),
  'sends 304 without a body': whole('/not-modified', {
    status: '304 Not Modified',
    fields: { etag: '"tag"' },
    body: '',
  }),
  'sends a redirection and does not follow it': {
    observe: async (client) => {
      const answer = await client.ask({ target: '/redirect' });
      return { status: answer.status, location: valuesOf(answer, 'location') };
    },
    expected: { status: 302, location: ['/hello?from=redirect'] },
  },
  'says what it has not': whole('/no/such/thing', { status: '404 Not Found' }),
} satisfies Record<string, Behaviour>;
