// Time to read a decoded head as a request: variables in, method, target, fields and peers out. No sockets, one core.
// Every round reads fresh strings, as the decoder makes them: strings that have been looked up before are much quicker.

import { createEnv, readRequest } from '@scgi/core/env';
import { encodeRequest, RequestDecoder } from '@scgi/core/protocol';

const nginx = {
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/search?q=hello&page=2',
  QUERY_STRING: 'q=hello&page=2',
  CONTENT_TYPE: '',
  DOCUMENT_URI: '/search',
  DOCUMENT_ROOT: '/srv/www',
  SERVER_PROTOCOL: 'HTTP/1.1',
  REQUEST_SCHEME: 'https',
  HTTPS: 'on',
  REMOTE_ADDR: '203.0.113.7',
  REMOTE_PORT: '59524',
  SERVER_PORT: '443',
  SERVER_NAME: 'example.com',
  HTTP_HOST: 'example.com',
  HTTP_USER_AGENT: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  HTTP_ACCEPT: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  HTTP_ACCEPT_LANGUAGE: 'en-US,en;q=0.5',
  HTTP_ACCEPT_ENCODING: 'gzip, deflate, br, zstd',
  HTTP_CONNECTION: 'keep-alive',
  HTTP_COOKIE: 'session=6f1ed002ab5595859014ebf0951522d9; theme=dark',
  HTTP_UPGRADE_INSECURE_REQUESTS: '1',
  HTTP_SEC_FETCH_DEST: 'document',
  HTTP_SEC_FETCH_MODE: 'navigate',
};
const unlisted = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => [`HTTP_X_CUSTOM_FIELD_${index}`, 'value']),
);
const heads = {
  'nginx, 25 variables': encodeRequest(Object.entries(nginx).flat(), 0),
  'with 10 unlisted fields': encodeRequest(Object.entries({ ...nginx, ...unlisted }).flat(), 0),
};
const readers = {
  'decode only': undefined,
  readRequest: (head) => readRequest(head.text, head.bodyLength),
  createEnv: (head) => createEnv(head.variables),
};

function decode(netstring) {
  const decoder = new RequestDecoder();
  decoder.receiveData(netstring);
  const event = decoder.nextEvent();
  if (event?.type !== 'head') throw new Error('no head');
  return event.head;
}

/** Nanoseconds per head, best of ten rounds: noise of the machine only ever slows a round down. */
function measure(netstring, read) {
  let best = Infinity;
  for (let round = 0; round < 10; round++) {
    let elapsed = 0;
    for (let batch = 0; batch < 400; batch++) {
      const decodeFrom = performance.now();
      const decoded = Array.from({ length: 25 }, () => decode(netstring));
      const readFrom = performance.now();
      if (read !== undefined) for (const head of decoded) read(head);
      elapsed += read === undefined ? readFrom - decodeFrom : performance.now() - readFrom;
    }
    best = Math.min(best, (elapsed * 1e6) / (400 * 25));
  }
  return Math.round(best);
}

for (const [head, netstring] of Object.entries(heads)) {
  for (const [name, read] of Object.entries(readers)) {
    console.log(
      `${head.padEnd(26)} ${name.padEnd(12)} ${measure(netstring, read).toLocaleString('en').padStart(8)} ns`,
    );
  }
}
