// Applications that fail, and those that do not want the whole request. One failure never harms another request.

import { failure, hello, large } from '../kinds/content.js';
import type { Client, Observation } from '../support/client.js';
import type { Behaviour } from './behaviour.js';

const before = (target: string): Behaviour => ({
  observe: async (client) => {
    const { status, body, ending } = await client.ask({ target });
    // Where it failed is nobody's business: a stack has lines such as "at file:///app.js:1:2".
    return { status, ending, stack: /\bat .*:\d+|node_modules|\.[jt]s\b/.test(body.toString()) };
  },
  expected: { status: 500, ending: 'whole', stack: false },
});

async function breakOff(client: Client, path: string): Promise<Observation> {
  const id = client.stage.nextId();
  // Without keep-alive, so that a connection that stays open is not mistaken for one that waits for the next request.
  const exchange = client.start({ target: `${path}?id=${id}`, fields: [['Connection', 'close']] });
  // Not before its client has the first part: a reset right behind it may overtake it.
  await exchange.sees(({ bodyLength }) => bodyLength > 0, 10_000);
  client.stage.note(id, 'open');
  const { ending, body } = await exchange.answer();
  return { ending, told: body.toString().includes(failure) };
}

export const failures = {
  'answers 500 for an application that throws': before('/throw'),
  'answers 500 for an application that rejects': before('/reject'),
  'answers the next request after one that failed': {
    observe: async (client) => {
      const statuses: unknown[] = [];
      for (const target of ['/throw', '/hello', '/reject', '/hello']) {
        const { status, body } = await client.ask({ target });
        statuses.push(status === 200 ? body.toString() : status);
      }
      return { statuses };
    },
    expected: { statuses: [500, hello, 500, hello] },
  },
  'shows that a response of unknown length broke off': {
    observe: (client) => breakOff(client, '/break'),
    expected: { ending: 'broken', told: false },
  },
  'shows that a response of known length broke off': {
    observe: (client) => breakOff(client, '/break-length'),
    expected: { ending: 'broken', told: false },
  },
  'answers a body that it does not read': {
    observe: async (client) => {
      const { status, body, ending } = await client.ask({
        target: '/early',
        fields: [['Content-Type', 'application/octet-stream']],
        body: large.subarray(0, 2_000_000),
      });
      return { status, body: body.toString(), ending };
    },
    expected: { status: 413, body: 'too much\n', ending: 'whole' },
  },
  'answers before the body is there': {
    observe: async (client) => {
      const fields = [['Content-Type', 'application/octet-stream'] as const];
      const exchange = client.start({ method: 'POST', target: '/early', fields, length: 100_000, body: 'begin' });
      const early = await exchange.sees(({ head }) => head !== undefined, client.patienceMs);
      await exchange.write('x'.repeat(100_000 - 'begin'.length));
      const { status, ending } = await exchange.answer();
      return { early, status, ending };
    },
    expected: { early: true, status: 413, ending: 'whole' },
  },
} satisfies Record<string, Behaviour>;
