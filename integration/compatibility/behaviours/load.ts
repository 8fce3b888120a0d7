// Many clients, and slow ones.

import { large } from '../kinds/content.js';
import { describeBody, digest } from '../support/answer-reader.js';
import type { Behaviour } from './behaviour.js';

export const load = {
  'keeps fifty requests at the same time apart': {
    observe: async (client) => {
      const numbers = Array.from({ length: 50 }, (_, at) => at);
      const answers = await Promise.all(
        numbers.map((number) =>
          client.facts(
            { target: `/facts/${number}?n=${number}`, fields: [['X-Number', `${number}`]] },
            ({ url, fields }) => url === `/facts/${number}?n=${number}` && fields['x-number'] === `${number}`,
          ),
        ),
      );
      return { right: answers.filter(({ seen }) => seen === true).length };
    },
    expected: { right: 50 },
  },
  'keeps fifty bodies at the same time apart': {
    observe: async (client) => {
      const bodies = Array.from({ length: 50 }, (_, at) => `body ${at} `.repeat(500));
      const fields = [['Content-Type', 'application/octet-stream'] as const];
      const answers = await Promise.all(bodies.map((body) => client.ask({ target: '/echo', fields, body })));
      return { right: answers.filter(({ body }, at) => body.toString() === bodies[at]).length };
    },
    expected: { right: 50 },
  },
  'sends everything to a client that reads slowly': {
    observe: async (client) => {
      const { status, body, ending } = await client.start({ target: '/large' }).readSlowly(5);
      return { status, body: describeBody(body), ending };
    },
    expected: { status: 200, body: `${large.length} bytes, sha256 ${digest(large)}`, ending: 'whole' },
  },
} satisfies Record<string, Behaviour>;
