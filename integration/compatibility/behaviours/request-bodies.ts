// Bodies of requests: none, of every form, in every way of sending them.

import { allBytes, large, umlauts } from '../kinds/content.js';
import { describeBody, digest } from '../support/answer-reader.js';
import type { Client, Observation } from '../support/client.js';
import type { Answer, RequestParts } from '../support/exchange.js';
import type { Behaviour } from './behaviour.js';

const octets: NonNullable<RequestParts['fields']> = [['Content-Type', 'application/octet-stream']];

const typed = (type: string): NonNullable<RequestParts['fields']> => [['Content-Type', type]];

/** Sends a body that the application parses, and shows what it got. */
const parsed = (target: string, type: string, body: string, value: unknown): Behaviour => ({
  observe: async (client) => json(await client.ask({ method: 'POST', target, fields: typed(type), body })),
  expected: { status: 200, json: value },
});

function json(answer: Answer): Observation {
  const { status, body } = answer;
  return status === 200 ? { status, json: JSON.parse(body.toString()) } : { status };
}

async function echo(client: Client, parts: RequestParts): Promise<Observation> {
  const { status, body } = await client.ask({ method: 'POST', target: '/echo', fields: octets, ...parts });
  return status === 200 ? { status, body: describeBody(body) } : { status };
}

export const requestBodies = {
  'tells a request without a body': {
    observe: (client) => client.facts({}, ({ fields }) => lengthOf(fields)),
    expected: { status: 200, seen: { length: null } },
  },
  'tells a body of no octets': {
    observe: (client) => client.facts({ method: 'POST', body: '' }, ({ fields }) => lengthOf(fields)),
    expected: { status: 200, seen: { length: '0' } },
  },
  'ends a body of no octets': {
    observe: async (client) => json(await client.ask({ target: '/digest', body: '', fields: octets })),
    expected: { status: 200, json: { length: 0, sha256: digest(Buffer.alloc(0)) } },
  },
  'states the length of a body': {
    observe: (client) => client.facts({ method: 'PUT', body: '12345' }, ({ fields }) => lengthOf(fields)),
    expected: { status: 200, seen: { length: '5' } },
  },
  'takes JSON': parsed('/json', 'application/json', '{"a":[1,"ü"],"b":null}', { a: [1, 'ü'], b: null }),
  'takes a form': parsed('/form', 'application/x-www-form-urlencoded', 'a=1&b=x+y%26', { a: '1', b: 'x y&' }),
  'takes text in UTF-8': parsed('/text', 'text/plain; charset=utf-8', umlauts, { text: umlauts }),
  'takes every octet': {
    observe: (client) => echo(client, { body: allBytes }),
    expected: { status: 200, body: allBytes.toString('latin1') },
  },
  'takes five megabytes': {
    observe: async (client) => json(await client.ask({ target: '/digest', fields: octets, body: large })),
    expected: { status: 200, json: { length: large.length, sha256: digest(large) } },
  },
  'takes a body in chunks': {
    observe: (client) => echo(client, { body: 'first half, second half', chunked: true }),
    expected: { status: 200, body: 'first half, second half' },
  },
  'takes a body that comes in many pieces': {
    observe: async (client) => {
      const exchange = client.start({ method: 'POST', target: '/echo', fields: octets, length: 200 });
      for (let piece = 0; piece < 20; piece += 1) await exchange.write(`piece ${piece}`.padEnd(10));
      const { status, body, ending } = await exchange.answer();
      return { status, body: body.toString(), ending };
    },
    expected: { status: 200, ending: 'whole' },
  },
  'takes the body of a PUT': {
    observe: (client) => echo(client, { method: 'PUT', body: 'put' }),
    expected: { status: 200, body: 'put' },
  },
  'takes the body of a PATCH': {
    observe: (client) => echo(client, { method: 'PATCH', body: 'patch' }),
    expected: { status: 200, body: 'patch' },
  },
  'takes the body of a DELETE': {
    observe: (client) => echo(client, { method: 'DELETE', body: 'delete' }),
    expected: { status: 200, body: 'delete' },
  },
  'tells a client to go on that asks before it sends': {
    observe: async (client) => {
      const fields = [...octets, ['Expect', '100-continue'] as const];
      const exchange = client.start({ method: 'POST', target: '/echo', fields, length: 4 });
      const granted = await exchange.sees(({ interim }) => interim.length > 0, client.patienceMs);
      await exchange.write('late');
      const { status, body } = await exchange.answer();
      return { granted, status, body: body.toString() };
    },
    expected: { granted: true, status: 200, body: 'late' },
  },
  'sends one body back while it takes the other': {
    observe: async (client) => {
      const exchange = client.start({ method: 'POST', target: '/echo', fields: octets, body: 'abc', length: 6 });
      const early = await exchange.sees(({ bodyLength }) => bodyLength === 3, client.patienceMs);
      await exchange.write('def');
      const { status, body } = await exchange.answer();
      return { early, status, body: body.toString() };
    },
    expected: { early: true, status: 200, body: 'abcdef' },
  },
} satisfies Record<string, Behaviour>;

function lengthOf(fields: Readonly<Record<string, unknown>>): { readonly length: unknown } {
  return { length: fields['content-length'] ?? null };
}
