// Header fields and bodies, users and HTTPS: what else the probe is told of a request.

import type { Cases } from '../support/case.js';

const octets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));

export const fields: Cases = {
  'the usual fields of a browser': {
    fields: [
      ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
      ['Accept', 'text/html,*/*;q=0.8'],
      ['Accept-Language', 'en-GB,en;q=0.5'],
      ['Accept-Encoding', 'gzip, deflate'],
      ['Referer', 'http://example.test/cgi-bin/probe?x=y'],
      ['If-Modified-Since', 'Mon, 30 Nov 2026 10:00:00 GMT'],
      ['If-None-Match', '"a", W/"b"'],
      ['Range', 'bytes=0-9'],
      ['Cache-Control', 'no-cache'],
      ['X-Forwarded-For', '192.0.2.1'],
    ],
  },
  'a field that is sent twice': {
    fields: [
      ['X-Twice', 'one'],
      ['X-Twice', 'two'],
    ],
  },
  'a field that is sent twice, once empty': {
    fields: [
      ['X-Twice', ''],
      ['X-Twice', 'two'],
    ],
  },
  cookies: { fields: [['Cookie', 'a=1; b="two"']] },
  'cookies in two fields': {
    allowed: { nginx: ['cookies in several fields'] },
    fields: [
      ['Cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ],
  },
  'an empty field': { fields: [['X-Empty', '']] },
  'a field with spaces around and in it': { fields: [['X-Space', '  a \t b  ']] },
  'a field with octets of latin1': { fields: [['X-Name', 'Andr\xe9']] },
  'a field with UTF-8': { fields: [['X-Name', 'Andr\xc3\xa9']] },
  'the field that passes for a proxy variable': { fields: [['Proxy', 'http://evil.test']] },
  'a field with an underscore': { fields: [['X_Under', 'a']] },
  'a field with a dash and one with an underscore': {
    fields: [
      ['X-Under', 'dash'],
      ['X_Under', 'line'],
    ],
  },
  'a field with a dot': { fields: [['X.Dot', 'a']] },
  'a field with other characters': { fields: [["X!#$%&'*+^`|~", 'a']] },
  'a field with a name of digits': { fields: [['123', 'a']] },
  'a field of 6,000 octets': { fields: [['X-Long', 'x'.repeat(6000)]] },
  'fifty fields': { fields: Array.from({ length: 50 }, (_, index) => [`X-${index}`, `${index}`] as const) },
  credentials: { fields: [['Authorization', 'Basic YWRhOnNlY3JldA==']] },
  'credentials for a proxy': { fields: [['Proxy-Authorization', 'Basic YWRhOnNlY3JldA==']] },
  'a content type without a body': { fields: [['Content-Type', 'text/plain']] },
  'an empty content type': {
    allowed: ['empty content type'],
    method: 'POST',
    fields: [['Content-Type', '']],
    body: 'x',
  },
  'a body without a content type': { method: 'POST', body: 'x' },
  'a length of 0': { allowed: { apache: ['length of 0'] }, method: 'POST', fields: [['Content-Length', '0']] },
  'a POST without a length': { method: 'POST' },
  'a GET with a body': { body: 'x' },
  'a body of all octets': { method: 'POST', fields: [['Content-Type', 'application/octet-stream']], body: octets },
  'a body of one MiB': { method: 'POST', body: Buffer.alloc(1024 * 1024, octets) },
  'a body with a length of leading zeros': {
    allowed: ['leading zeros of a length'],
    method: 'POST',
    fields: [['Content-Length', '0004']],
    body: 'four',
  },
  'a chunked body': {
    allowed: { nginx: ['length of a chunked body'], apache: ['answers that Apache cannot chunk'] },
    method: 'POST',
    fields: [['Transfer-Encoding', 'chunked']],
    body: '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
  },
  'an expectation': { allowed: ['expectation'], method: 'POST', fields: [['Expect', '100-continue']], body: 'x' },
  'fields of the connection': {
    fields: [
      ['Keep-Alive', 'timeout=5'],
      ['TE', 'trailers'],
      ['Trailer', 'X-End'],
    ],
  },
  'an upgrade': { fields: [['Upgrade', 'h2c']] },
  'a user': { target: '/cgi-bin/private/probe/x', fields: [['Authorization', 'Basic YWRhOnNlY3JldA==']] },
  'a user with a wrong password': {
    target: '/cgi-bin/private/probe',
    fields: [['Authorization', 'Basic YWRhOndyb25n']],
  },
  'nobody, where a user is wanted': { target: '/cgi-bin/private/probe' },
  HTTPS: { allowed: { nginx: ['host that TLS was told'] }, tls: true, target: '/cgi-bin/probe/x' },
  'HTTPS and a host without a port': {
    allowed: { nginx: ['host that TLS was told'] },
    tls: true,
    host: 'example.test',
  },
};
