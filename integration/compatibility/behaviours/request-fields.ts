// The fields of a request, and what the front end vouches for.

import type { Behaviour } from './behaviour.js';
import type { RequestParts } from '../support/exchange.js';

type Fields = NonNullable<RequestParts['fields']>;

/** Sends fields, and shows those that are named of what the application gets. */
const fields = (sent: Fields, shown: readonly string[], expected: Readonly<Record<string, unknown>>): Behaviour => ({
  observe: (client) =>
    client.facts({ fields: sent }, (facts) =>
      Object.fromEntries(shown.flatMap((name) => (name in facts.fields ? [[name, facts.fields[name]]] : []))),
    ),
  expected: { status: 200, seen: expected },
});

const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`;
const numbers = Array.from({ length: 30 }, (_, at) => `x-number-${at}`);

export const requestFields = {
  'finds a field whatever the case of its name': fields([['X-MiXeD-cAsE', 'Value']], ['x-mixed-case'], {
    'x-mixed-case': 'Value',
  }),
  'joins a field that is given twice': fields(
    [
      ['X-Twice', 'one'],
      ['X-Twice', 'two'],
    ],
    ['x-twice'],
    { 'x-twice': 'one, two' },
  ),
  'passes cookies on': fields([['Cookie', 'a=1; b="2"; c=']], ['cookie'], { cookie: 'a=1; b="2"; c=' }),
  'joins cookies of two fields': fields(
    [
      ['Cookie', 'a=1; b=2'],
      ['Cookie', 'c=3'],
    ],
    ['cookie'],
    { cookie: 'a=1; b=2; c=3' },
  ),
  'passes an empty field on': fields([['X-Empty', '']], ['x-empty'], { 'x-empty': '' }),
  'passes Latin-1 in a field on': fields([['X-Latin1', 'caf\xe9']], ['x-latin1'], { 'x-latin1': 'caf\xe9' }),
  'passes Authorization on': fields([['Authorization', basic]], ['authorization'], { authorization: basic }),
  'passes what a browser sends on': fields(
    [
      ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
      ['Accept', 'text/html,*/*;q=0.8'],
      ['Accept-Language', 'de-DE,de;q=0.9'],
      ['Referer', 'http://compat.test/before?x=1'],
      ['If-None-Match', '"no-such-tag"'],
    ],
    ['user-agent', 'accept', 'accept-language', 'referer', 'if-none-match'],
    {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)',
      accept: 'text/html,*/*;q=0.8',
      'if-none-match': '"no-such-tag"',
    },
  ),
  'passes Host on': fields([['Host', 'shop.example']], ['host'], { host: 'shop.example' }),
  'passes Host with its port on': fields([['Host', 'shop.example:8443']], ['host'], { host: 'shop.example:8443' }),
  'takes a field of 4,000 octets': fields([['X-Long', 'x'.repeat(4_000)]], ['x-long'], { 'x-long': 'x'.repeat(4_000) }),
  'tells an underscore in a name from a dash': fields(
    [
      ['X-User', 'real'],
      ['X_User', 'forged'],
    ],
    ['x-user', 'x_user'],
    { 'x-user': 'real', x_user: 'forged' },
  ),
  'tells thirty fields apart': fields(
    numbers.map((name) => [name, `value of ${name}`]),
    numbers,
    { 'x-number-0': 'value of x-number-0', 'x-number-29': 'value of x-number-29' },
  ),
  'passes the type of a body on, with its parameters': {
    observe: (client) =>
      client.facts(
        { method: 'POST', body: '{}', fields: [['Content-Type', 'application/json; charset=utf-8; profile="x"']] },
        (facts) => facts.fields['content-type'],
      ),
    expected: { status: 200, seen: 'application/json; charset=utf-8; profile="x"' },
  },
  'keeps fields about the connection from the application': fields(
    [
      ['Connection', 'keep-alive'],
      ['Keep-Alive', 'timeout=5'],
      ['TE', 'trailers'],
    ],
    ['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'],
    { connection: 'keep-alive', 'keep-alive': 'timeout=5', te: 'trailers' },
  ),
  'keeps Proxy from the application': fields([['Proxy', 'http://evil.test']], ['proxy'], { proxy: 'http://evil.test' }),
  'knows the address of the client': {
    observe: (client) => client.facts({}, ({ address }) => address),
    expected: { status: 200, seen: '127.0.0.1' },
  },
  'believes no X-Forwarded field': {
    observe: (client) => {
      const sent: Fields = [
        ['X-Forwarded-For', '203.0.113.9'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Host', 'evil.test'],
        ['Forwarded', 'for=203.0.113.9;proto=https;host=evil.test'],
      ];
      return client.facts({ fields: sent }, ({ address, scheme }) => ({ address, scheme }));
    },
    expected: { status: 200, seen: { address: '127.0.0.1', scheme: 'http' } },
  },
} satisfies Record<string, Behaviour>;
