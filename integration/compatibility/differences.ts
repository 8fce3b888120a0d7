// Everything in which an application behind SCGI differs from the same application behind its HTTP server: the whole
// list. One that does not occur where it says fails the suite, and so does whatever is not in it.

import { kinds } from './kinds/index.js';
import type { Observation } from './support/client.js';
import type { Difference } from './support/difference.js';
import { namesOf } from './support/names.js';
import { ways, type WayName } from './ways/index.js';

const waysWith = (...starts: readonly string[]): WayName[] =>
  namesOf(ways).filter((way) => starts.some((start) => way.startsWith(start)));

const unixWays = namesOf(ways).filter((way) => ways[way].transport === 'Unix');

/** These values instead of those that HTTP showed. */
const instead =
  (values: Observation): Difference['becomes'] =>
  (oracle) => ({ ...oracle, ...values });

/** Only this, whatever HTTP showed. */
const only =
  (observation: Observation): Difference['becomes'] =>
  () =>
    observation;

export const differences: readonly Difference[] = [
  {
    name: 'Methods are not limited to those that Node.js knows',
    why: 'Node.js refuses an unknown method in its HTTP parser; a front end that lets it through lets the application decide.',
    witness: 'llhttp answers 400; nginx and Apache pass FROBNICATE on',
    where: {
      behaviours: ['answers a method that nobody knows'],
      kinds: ['bare listener', 'Express 5', 'Express 4', 'Koa 3', 'Koa 2', 'Fetch', 'SSGI'],
      ways: waysWith('raw', 'nginx', 'Apache'),
    },
    becomes: instead({ status: 200 }),
  },
  {
    name: 'Fastify has no route for a method that it does not know',
    why: 'Node.js refuses an unknown method in its HTTP parser; behind a front end it reaches the router of Fastify.',
    witness: 'Fastify answers 404 for methods that were not added with `addHttpMethod`',
    where: {
      behaviours: ['answers a method that nobody knows'],
      kinds: ['Fastify 5'],
      ways: waysWith('raw', 'nginx', 'Apache'),
    },
    becomes: instead({ status: 404 }),
  },
  {
    name: 'lighttpd refuses unknown methods',
    why: 'It answers 501 itself.',
    witness: 'lighttpd 1.4.69 has a fixed list of methods',
    where: { behaviours: ['answers a method that nobody knows'], ways: waysWith('lighttpd') },
    becomes: instead({ status: 501 }),
  },
  {
    name: 'Octets beyond ASCII in a target reach the application',
    why: 'Node.js refuses them in its HTTP parser. Front ends let them through, and `req.url` holds them as Latin-1.',
    witness: 'RFC 3986 allows ASCII only; nginx, Apache and lighttpd send them raw in REQUEST_URI',
    where: {
      behaviours: ['keeps octets of a path beyond ASCII'],
      kinds: namesOf(kinds).filter((kind) => kind !== 'Fetch'),
      ways: waysWith('raw', 'nginx', 'Apache', 'lighttpd'),
    },
    becomes: only({ status: 200, seen: '/facts/caf\xc3\xa9' }),
  },
  {
    name: 'Octets beyond ASCII in a target are escaped in the URL of a Request',
    why: 'Node.js refuses them in its HTTP parser. Front ends let them through, and `request.url` can hold ASCII only.',
    witness: 'the URL standard; nginx, Apache and lighttpd send them raw in REQUEST_URI',
    where: {
      behaviours: ['keeps octets of a path beyond ASCII'],
      kinds: ['Fetch'],
      ways: waysWith('raw', 'nginx', 'Apache', 'lighttpd'),
    },
    becomes: only({ status: 200, seen: '/facts/caf%C3%A9' }),
  },
  {
    name: 'SSGI does not tell an empty query from none',
    why: 'Path and query are two arguments, and the question mark is in neither. `res.extensions.scgi.target` has it.',
    witness: 'SSGI: path, query_string',
    where: { behaviours: ['keeps an empty query'], kinds: ['SSGI'] },
    becomes: instead({ seen: '/facts' }),
  },
  {
    name: 'Fields about the connection are not passed on',
    why: 'They tell of the connection between the client and the front end, which the application cannot see.',
    witness: 'RFC 9110 §7.6.1; nginx and Apache send them as variables all the same',
    where: { behaviours: ['keeps fields about the connection from the application'] },
    becomes: instead({ seen: {} }),
  },
  {
    name: 'Proxy is not passed on',
    why: 'A program that reads HTTP_PROXY from its variables would send its own requests where the client wants them.',
    witness: 'httpoxy, CVE-2016-5385; nginx sends HTTP_PROXY',
    where: { behaviours: ['keeps Proxy from the application'] },
    becomes: instead({ seen: {} }),
  },
  {
    name: 'Fields with an underscore in their name are dropped',
    why: 'As a variable X_User could not be told from X-User, which may be what the front end vouches for.',
    witness: 'nginx: underscores_in_headers; Apache 2.4; `@scgi/gateway`',
    where: {
      behaviours: ['tells an underscore in a name from a dash'],
      ways: waysWith('raw', 'embedded', 'nginx', 'Apache'),
    },
    becomes: instead({ seen: { 'x-user': 'real' } }),
  },
  {
    name: 'lighttpd takes an underscore in a name for a dash',
    why: 'Both become one variable, and the application sees both values.',
    witness: 'lighttpd 1.4.69; 1.4.85 answers 400 if both are there',
    remedy: 'trust no field that the client can send; use a variable of the front end',
    where: { behaviours: ['tells an underscore in a name from a dash'], ways: waysWith('lighttpd') },
    becomes: instead({ seen: { 'x-user': 'real, forged' } }),
  },
  {
    name: 'Apache joins the cookies of several fields with a comma',
    why: 'The border between two cookies is lost. Browsers send one field over HTTP/1.1.',
    witness: 'Apache 2.4 joins all fields alike; RFC 9113 §8.2.3 wants a semicolon',
    where: { behaviours: ['joins cookies of two fields'], ways: waysWith('Apache') },
    becomes: instead({ seen: { cookie: 'a=1; b=2, c=3' } }),
  },
  {
    name: 'lighttpd drops empty fields',
    why: 'It does so in requests and in responses.',
    witness: 'lighttpd 1.4.69',
    where: { behaviours: ['passes an empty field on'], ways: waysWith('lighttpd') },
    becomes: instead({ seen: {} }),
  },
  {
    name: 'lighttpd drops empty fields of responses',
    why: 'It does so in requests and in responses.',
    witness: 'lighttpd 1.4.69',
    where: { behaviours: ['sends an empty field'], ways: waysWith('lighttpd') },
    becomes: instead({ seen: [] }),
  },
  {
    name: 'The port of Host is lost behind nginx of Debian',
    why: 'Its scgi_params sets HTTP_HOST to `$host`, which has no port.',
    witness: 'Debian 12, /etc/nginx/scgi_params',
    remedy: '`scgi_param HTTP_HOST $http_host;` behind the include',
    where: { behaviours: ['passes Host with its port on'], ways: waysWith('nginx') },
    becomes: instead({ seen: { host: 'shop.example' } }),
  },
  {
    name: 'A length of 0 is not told from none',
    why: 'SCGI sends CONTENT_LENGTH in any case. nginx and lighttpd tell by HTTP_CONTENT_LENGTH whether the client did.',
    witness: 'Apache 2.4 sends no HTTP_CONTENT_LENGTH',
    where: { behaviours: ['tells a body of no octets'], ways: waysWith('Apache') },
    becomes: instead({ seen: { length: null } }),
  },
  {
    name: 'Apache takes no body in chunks',
    why: 'SCGI wants the length first, and Apache does not collect a body to count it.',
    witness: 'Apache 2.4, mod_proxy_scgi: 411',
    remedy: 'HTTP/1.1 clients that know the length; browsers send it',
    where: { behaviours: ['takes a body in chunks'], ways: waysWith('Apache') },
    becomes: only({ status: 411 }),
  },
  {
    name: 'Expect is answered by the front end, not by the application',
    why: 'SCGI has no interim responses. Without a front end nobody grants anything.',
    witness: 'RFC 3875 §6.2; nginx, Apache and lighttpd send 100 themselves',
    where: { behaviours: ['tells a client to go on that asks before it sends'], ways: waysWith('raw') },
    becomes: instead({ granted: false }),
  },
  {
    name: 'The front end collects the request before it asks the application',
    why: 'So it does by default; Apache passes the request on at once, but reads the answer only when it has sent all.',
    witness: 'nginx: scgi_request_buffering; lighttpd: server.stream-request-body; Apache: mod_proxy_scgi',
    remedy: 'nginx: `scgi_request_buffering off;` and `scgi_buffering off;` lighttpd: `server.stream-request-body = 1`',
    where: {
      behaviours: ['sends one body back while it takes the other', 'answers before the body is there'],
      ways: waysWith('nginx', 'Apache', 'lighttpd'),
    },
    becomes: instead({ early: false }),
  },
  {
    name: 'A client that leaves in its upload never gets to the application',
    why: 'The front end collects the request first, and a request that does not become whole is dropped.',
    witness: 'nginx: scgi_request_buffering; lighttpd: server.stream-request-body',
    where: {
      behaviours: ['tells the application that the client left in its upload'],
      ways: waysWith('nginx', 'lighttpd'),
    },
    becomes: only({ arrived: false, cutShort: false }),
  },
  {
    name: 'A client that leaves is not noticed until something is written',
    why: 'The front end looks at the client again when it has something for it.',
    witness: 'Apache 2.4, mod_proxy_scgi; lighttpd 1.4.69',
    remedy: 'write now and then what the client ignores, such as a comment line in an event stream',
    where: {
      behaviours: ['tells the application that the client left before the answer'],
      ways: waysWith('Apache', 'lighttpd'),
    },
    becomes: instead({ learned: false }),
  },
  {
    name: 'nginx holds back what is not said to be urgent',
    why: 'It collects a response in its buffers, whatever its pace. Event streams are said to be urgent by our server.',
    witness: 'nginx: scgi_buffering',
    remedy: '`scgi_buffering off;`, or the field `X-Accel-Buffering: no` in the response',
    where: { behaviours: ['sends what is written before the rest is there'], ways: waysWith('nginx') },
    becomes: instead({ early: false, before: '' }),
  },
  {
    name: 'nginx refuses a long head',
    why: 'The whole head of a response must fit its buffer, else the client gets 502.',
    witness: 'nginx: scgi_buffer_size is 4 KB; our server warns once',
    remedy: '`scgi_buffer_size 32k; scgi_buffers 8 32k;`',
    where: { behaviours: ['sends a head of 7 KB'], ways: waysWith('nginx') },
    becomes: only({ status: 502, seen: [] }),
  },
  {
    name: 'lighttpd has its own reasons',
    why: 'It sends the phrase of its own table for a status.',
    witness: 'lighttpd 1.4.69; RFC 9112 §4 wants clients to ignore the phrase',
    where: {
      behaviours: ['sends a status and a reason'],
      kinds: namesOf(kinds).filter((kind) => kind !== 'Fetch'),
      ways: waysWith('lighttpd'),
    },
    becomes: instead({ reason: 'Created' }),
  },
  {
    name: 'The reason of a Response is sent',
    why: '`statusText` goes out as it is; @hono/node-server sends the phrase of Node.js instead.',
    witness: 'Fetch standard: statusText; @hono/node-server 2',
    where: {
      behaviours: ['sends a status and a reason'],
      kinds: ['Fetch'],
      ways: waysWith('raw', 'embedded', 'nginx', 'Apache'),
    },
    becomes: instead({ reason: 'Made Here' }),
  },
  {
    name: 'lighttpd offers ranges of responses that it has as a whole',
    why: 'It adds Accept-Ranges and answers Range itself.',
    witness: 'lighttpd 1.4.69',
    where: {
      behaviours: ['sends text', 'sends JSON', 'sends text in UTF-8', 'sends every octet', 'sends no octets'],
      ways: waysWith('lighttpd'),
    },
    becomes: (oracle) => withField(oracle, 'accept-ranges', 'bytes'),
  },
  {
    name: 'lighttpd cuts ranges out of responses that it has as a whole',
    why: 'The application answers with everything, as it may; lighttpd sends what was asked for.',
    witness: 'lighttpd 1.4.69',
    where: { behaviours: ['sends all though only a part was asked for'], ways: waysWith('lighttpd') },
    becomes: instead({ status: 206, body: 'hel' }),
  },
  {
    name: 'A broken response of unknown length looks whole over a Unix socket',
    why: 'Only a reset could tell, and Unix sockets have none.',
    witness: 'Linux: closing sends an end of stream, unless unread input is queued',
    remedy: 'state Content-Length, or connect over TCP',
    where: { behaviours: ['shows that a response of unknown length broke off'], ways: unixWays },
    becomes: instead({ ending: 'whole' }),
  },
];

function withField(oracle: Observation, name: string, value: string): Observation {
  return { ...oracle, fields: { ...(typeof oracle['fields'] === 'object' ? oracle['fields'] : {}), [name]: value } };
}
