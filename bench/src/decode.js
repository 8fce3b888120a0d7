// Decode speed of the request codec alone: heads per second on one core, no sockets.
// The head is what nginx with its stock scgi_params sends for a small GET, in one chunk as nginx writes it.

import { encodeRequest, formatResponseHead, RequestDecoder } from '@scgi/core/protocol';

const variables = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/hello',
  QUERY_STRING: '',
  CONTENT_TYPE: '',
  DOCUMENT_URI: '/hello',
  DOCUMENT_ROOT: '/srv/www',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_SCHEME: 'http',
  REMOTE_ADDR: '127.0.0.1',
  REMOTE_PORT: '59526',
  SERVER_PORT: '22080',
  SERVER_NAME: 'example.com',
  HTTP_HOST: 'example.com',
  HTTP_USER_AGENT: 'test/1.0',
  HTTP_ACCEPT: '*/*',
};
const browserFields = {
  HTTP_USER_AGENT: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  HTTP_ACCEPT: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  HTTP_ACCEPT_LANGUAGE: 'en-US,en;q=0.5',
  HTTP_ACCEPT_ENCODING: 'gzip, deflate, br, zstd',
  HTTP_CONNECTION: 'keep-alive',
  HTTP_COOKIE: 'session=6f1ed002ab5595859014ebf0951522d9; theme=dark',
  HTTP_UPGRADE_INSECURE_REQUESTS: '1',
  HTTP_SEC_FETCH_DEST: 'document',
  HTTP_SEC_FETCH_MODE: 'navigate',
  HTTP_SEC_FETCH_SITE: 'none',
  HTTP_SEC_FETCH_USER: '?1',
  HTTP_PRIORITY: 'u=0, i',
};
const small = encodeRequest(Object.entries(variables).flat(), 0);
const browser = encodeRequest(Object.entries({ ...variables, ...browserFields }).flat(), 0);
const fields = ['content-type', 'text/html; charset=utf-8', 'content-length', '12', 'x-powered-by', 'Express'];

function decode(chunks) {
  const decoder = new RequestDecoder();
  let events = 0;
  for (const chunk of chunks) {
    decoder.receiveData(chunk);
    while (decoder.nextEvent() !== null) events++;
  }
  if (events !== 2) throw new Error(`expected head and end, got ${events} events`);
}

const inBytes = (netstring) => Array.from(netstring, (_, index) => netstring.subarray(index, index + 1));
const smallBytes = inBytes(small);

const cases = {
  [`small head (${small.length} bytes)`]: () => decode([small]),
  [`browser's head (${browser.length} bytes)`]: () => decode([browser]),
  'small head, byte by byte': () => decode(smallBytes),
  'response head written': () => formatResponseHead(200, 'OK', fields),
};

/** Best of five rounds: noise of the machine only ever slows a round down. */
function perSecond(run) {
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const until = performance.now() + 400;
    const from = performance.now();
    let count = 0;
    for (; performance.now() < until; count += 100) for (let repeat = 0; repeat < 100; repeat++) run();
    best = Math.max(best, (count * 1000) / (performance.now() - from));
  }
  return Math.round(best);
}

for (const [name, run] of Object.entries(cases)) {
  console.log(`${name.padEnd(30)} ${perSecond(run).toLocaleString('en').padStart(12)} / s`);
}
