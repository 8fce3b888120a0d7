// What is asked for: the method and the target, as the client wrote them.

import type { Behaviour } from './behaviour.js';

const method = (name: string): Behaviour => ({
  observe: (client) =>
    client.facts({ method: name, ...(bodyless.has(name) ? {} : { body: 'x=1' }) }, (facts) => facts.method),
  expected: { status: 200, seen: name },
});

const bodyless = new Set(['GET', 'OPTIONS', 'DELETE']);

const target = (written: string): Behaviour => ({
  observe: (client) => client.facts({ target: written }, ({ url }) => url),
  expected: { status: 200, seen: written },
});

export const methodsAndTargets = {
  'passes GET on': method('GET'),
  'passes POST on': method('POST'),
  'passes PUT on': method('PUT'),
  'passes PATCH on': method('PATCH'),
  'passes DELETE on': method('DELETE'),
  'passes OPTIONS on': method('OPTIONS'),
  'answers a method that nobody knows': {
    observe: async (client) => {
      const { status } = await client.ask({ method: 'FROBNICATE', target: '/facts' });
      return { status };
    },
    expected: { status: 400 },
  },
  'keeps escapes of a path as they are': target('/facts/a%20b%3f%C3%A9'),
  'keeps an encoded slash': target('/facts/a%2Fb%2fc'),
  'keeps double slashes': target('/facts//a///b'),
  'keeps dots in a path': target('/facts/.hidden/a..b/v1.2'),
  'keeps signs of a path that need no escape': target("/facts/a+b;c=d@e,f&g=h!$'()*:~"),
  'keeps octets of a path beyond ASCII': {
    observe: (client) => client.facts({ target: '/facts/caf\xc3\xa9' }, ({ url }) => url),
    // Node's parser refuses them.
    expected: { status: 400 },
  },
  'keeps an empty query': target('/facts?'),
  'keeps a query as it is': target('/facts?a=1&b=%26&a=2&c=?/#'.replace('#', '%23')),
  'takes a query of 3,000 octets': target(`/facts?q=${'x'.repeat(3_000)}`),
} satisfies Record<string, Behaviour>;
