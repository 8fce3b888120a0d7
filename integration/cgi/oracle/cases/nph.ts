// Programs that speak HTTP themselves: RFC 3875 §5.

import type { Cases } from '../support/case.js';

const prefix = 'nph-';

export const nph: Cases = {
  'HTTP/1.0': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello',
  },
  'HTTP/1.0 with a reason': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.0 404 Nobody Home\r\nContent-Type: text/plain\r\n\r\nhello',
  },
  'HTTP/1.1 with a length': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
  },
  'HTTP/1.1 in chunks': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  },
  'HTTP/1.1 up to the end': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nhello',
  },
  'HTTP with LF alone': {
    allowed: ['NPH programs are read'],
    prefix,
    prints: 'HTTP/1.0 200 OK\nContent-Type: text/plain\n\nhello',
  },
  'HTTP with a server and a date': {
    prefix,
    prints:
      'HTTP/1.0 200 OK\r\nServer: mine\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\n\r\nx',
  },
  'HTTP that redirects': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.0 302 Found\r\nLocation: http://elsewhere.test/\r\n\r\n',
  },
  'HTTP that redirects to a path': {
    allowed: ['who serves, and when'],
    prefix,
    prints: 'HTTP/1.0 302 Found\r\nLocation: /cgi-bin/probe\r\n\r\n',
  },
  'HTTP without content': { allowed: ['who serves, and when'], prefix, prints: 'HTTP/1.1 204 No Content\r\n\r\n' },
  'HTTP for a HEAD': {
    allowed: ['who serves, and when'],
    prefix,
    method: 'HEAD',
    prints: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n',
  },
  'HTTP for a HEAD with a body': {
    allowed: ['NPH programs are read'],
    prefix,
    method: 'HEAD',
    prints: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello',
  },
  'HTTP for a POST': {
    allowed: ['who serves, and when'],
    prefix,
    method: 'POST',
    body: 'x',
    prints: 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello',
  },
  'a document from who should speak HTTP': {
    allowed: ['who serves, and when', 'answers that are none are a 502'],
    prefix,
    prints: 'Content-Type: text/plain\r\n\r\nhello',
  },
  'nothing from who should speak HTTP': {
    allowed: ['who serves, and when', 'answers that are none are a 502'],
    prefix,
    prints: '',
  },
};
