// Redirects, for the client and for the server: RFC 3875 §6.2.2 to §6.2.4.

import type { Cases } from '../support/case.js';

const html = 'Content-Type: text/html\r\n';

export const redirects: Cases = {
  'a client redirect': { prints: 'Location: http://elsewhere.test/x?y=z\r\n\r\n' },
  'a client redirect with LF alone': { prints: 'Location: http://elsewhere.test/x\n\n' },
  'a client redirect with a document': {
    prints: `Location: http://elsewhere.test/\r\nStatus: 302 Found\r\n${html}\r\n<p>there</p>`,
  },
  'a client redirect with a document and no status': {
    prints: `Location: http://elsewhere.test/\r\n${html}\r\n<p>there</p>`,
  },
  'a client redirect with a status': {
    prints: 'Status: 301 Moved Permanently\r\nLocation: http://elsewhere.test/\r\n\r\n',
  },
  'a client redirect with a status of 303': {
    prints: `Status: 303 See Other\r\nLocation: http://elsewhere.test/\r\n${html}\r\nx`,
  },
  'a client redirect with a status of 307': {
    method: 'POST',
    body: 'x',
    prints: `Status: 307\r\nLocation: http://elsewhere.test/\r\n\r\n`,
  },
  'a client redirect with a cookie': { prints: 'Location: http://elsewhere.test/\r\nSet-Cookie: a=1\r\n\r\n' },
  'a client redirect to a path': { prints: `Status: 302 Found\r\nLocation: /cgi-bin/probe\r\n\r\n` },
  'a client redirect to another path': { prints: `Status: 303 See Other\r\nLocation: probe?x\r\n${html}\r\nx` },
  'a client redirect to a relative path without a status': { prints: 'Location: probe\r\n\r\n' },
  'a client redirect of a HEAD': { method: 'HEAD', prints: 'Location: http://elsewhere.test/\r\n\r\n' },
  'a client redirect to a fragment': { prints: 'Location: http://elsewhere.test/#x\r\n\r\n' },
  'a status of 201 with a place': { prints: `Status: 201 Created\r\nLocation: /cgi-bin/probe/new\r\n${html}\r\nmade` },
  'a status of 200 with a path': {
    allowed: { nginx: ['status of 200 with a path'], apache: ['status of 200 with a path, which Apache follows'] },
    prints: `Status: 200 OK\r\nLocation: /cgi-bin/probe\r\n${html}\r\nx`,
  },
  'a local redirect': { prints: 'Location: /cgi-bin/probe\r\n\r\n' },
  'a local redirect with a path and a query': { prints: 'Location: /cgi-bin/probe/a%20b?c=d\r\n\r\n' },
  'a local redirect with an indexed query': { prints: 'Location: /cgi-bin/probe?a+b\r\n\r\n' },
  'a local redirect of a request with a path and a query': {
    target: '/cgi-bin/PROGRAM/from?here=1',
    prints: 'Location: /cgi-bin/probe/to?there=2\r\n\r\n',
  },
  'a local redirect of a request with a query, to a target without': {
    target: '/cgi-bin/PROGRAM?here=1',
    prints: 'Location: /cgi-bin/probe/to\r\n\r\n',
  },
  'a local redirect of a request with an encoded path': {
    target: '/cgi-bin/PROGRAM/a%20b%3Fc',
    prints: 'Location: /cgi-bin/probe\r\n\r\n',
  },
  'a local redirect of a POST': {
    allowed: ['type of a body that is gone'],
    method: 'POST',
    fields: [['Content-Type', 'text/plain']],
    body: 'x',
    prints: 'Location: /cgi-bin/probe\r\n\r\n',
  },
  'a local redirect of a POST of 300,000 octets': {
    method: 'POST',
    body: Buffer.alloc(300_000, 'x'),
    prints: 'Location: /cgi-bin/probe\r\n\r\n',
  },
  'a local redirect of a PUT': { method: 'PUT', body: 'x', prints: 'Location: /cgi-bin/probe\r\n\r\n' },
  'a local redirect of a DELETE': { method: 'DELETE', prints: 'Location: /cgi-bin/probe\r\n\r\n' },
  'a local redirect of a HEAD': { method: 'HEAD', prints: 'Location: /cgi-bin/probe?a+b\r\n\r\n' },
  'a local redirect with a document': {
    allowed: ['redirects with more than a path'],
    prints: `Location: /cgi-bin/probe\r\n${html}\r\nx`,
  },
  'a local redirect with a cookie': {
    allowed: ['redirects with more than a path'],
    prints: 'Location: /cgi-bin/probe\r\nSet-Cookie: a=1\r\n\r\n',
  },
  'a local redirect with LF alone': { prints: 'Location: /cgi-bin/probe\n\n' },
  'a local redirect to a program that is missing': { prints: 'Location: /cgi-bin/missing\r\n\r\n' },
  'a local redirect to a document of the server': {
    allowed: ['redirects out of the mount'],
    prints: 'Location: /page.txt\r\n\r\n',
  },
  'a local redirect to nothing of the server': {
    allowed: ['redirects out of the mount'],
    prints: 'Location: /missing.txt\r\n\r\n',
  },
  'a local redirect to two slashes': {
    allowed: ['redirects to another host without its scheme'],
    prints: 'Location: //elsewhere.test/x\r\n\r\n',
  },
  'a local redirect with dots': { allowed: ['dots'], prints: 'Location: /cgi-bin/folder/../probe\r\n\r\n' },
  'a local redirect with a space': { prints: 'Location: /cgi-bin/probe/a b\r\n\r\n' },
  'a local redirect to itself, without end': {
    allowed: ['answers that are none are a 502'],
    prints: 'Location: /cgi-bin/a-local-redirect-to-itself-without-end\r\n\r\n',
  },
  'a chain of redirects, its end': { prints: 'Location: /cgi-bin/probe/end?of=chain\r\n\r\n' },
  'a chain of redirects, its middle': { prints: 'Location: /cgi-bin/a-chain-of-redirects-its-end?middle=1\r\n\r\n' },
  'a chain of redirects': {
    target: '/cgi-bin/PROGRAM?begin=1',
    prints: 'Location: /cgi-bin/a-chain-of-redirects-its-middle?first=1\r\n\r\n',
  },
  'a local redirect with credentials': {
    allowed: ['users of a local redirect'],
    fields: [['Authorization', 'Basic YWRhOnNlY3JldA==']],
    prints: 'Location: /cgi-bin/private/probe\r\n\r\n',
  },
  'a local redirect to where a user is wanted': {
    allowed: ['local redirects do not ask the front end'],
    prints: 'Location: /cgi-bin/private/probe\r\n\r\n',
  },
  'an empty location': { allowed: ['empty location'], prints: 'Location:\r\n\r\n' },
};
