// Answers that a program prints, whole and broken: RFC 3875 §6.2.1 and §6.3.

import type { Cases } from '../support/case.js';

const html = 'Content-Type: text/html\r\n';

export const documents: Cases = {
  'a document': { prints: `${html}\r\n<p>hello</p>` },
  'a document with LF alone': { prints: 'Content-Type: text/plain\nX-A: b\n\nhello\r\nhello\n' },
  'a document with both line ends': { prints: 'Content-Type: text/plain\nX-A: b\r\n\nhello' },
  'a document without a body': { prints: `${html}\r\n` },
  'a document with an empty type': { prints: 'Content-Type:\r\n\r\nx' },
  'a document with a parameter in its type': { prints: 'content-type: text/html; charset=UTF-8\r\n\r\nx' },
  'a document without a type': { prints: 'X-A: b\r\n\r\nhello' },
  'a status': { prints: `Status: 404 Not Found\r\n${html}\r\ngone` },
  'a status behind other fields': { prints: `${html}Status: 201 Created\r\n\r\nmade` },
  'a status without a reason': { prints: `Status: 404\r\n${html}\r\ngone` },
  'a status with a reason of its own': { prints: `Status: 404 Nobody Home\r\n${html}\r\ngone` },
  'a status that nobody knows': { prints: `Status: 499 Odd\r\n${html}\r\nodd` },
  'a status that nobody knows, without a reason': {
    allowed: ['phrase of a status that has none'],
    prints: `Status: 299\r\n${html}\r\nodd`,
  },
  'a status of a teapot': { allowed: ['phrase of a status that has none'], prints: `Status: 418\r\n${html}\r\nteapot` },
  'a status of 500': { prints: `Status: 500 Broken\r\n${html}\r\nbroken` },
  'a status of 600': { prints: `Status: 600 Over\r\n${html}\r\nx` },
  'a status of 999': { prints: `Status: 999 Over\r\n${html}\r\nx` },
  'a status of two digits': { allowed: ['answers that are none are a 502'], prints: `Status: 99\r\n${html}\r\nx` },
  'a status of four digits': {
    allowed: ['answers that are none are a 502'],
    prints: `Status: 2000 OK\r\n${html}\r\nx`,
  },
  'a status that is no number': { allowed: ['answers that are none are a 502'], prints: `Status: OK\r\n${html}\r\nx` },
  'an empty status': { allowed: ['answers that are none are a 502'], prints: `Status:\r\n${html}\r\nx` },
  'a status of 100': {
    allowed: ['who serves, and when', 'answers that are none are a 502'],
    prints: `Status: 100 Continue\r\n${html}\r\nx`,
  },
  'a status of 101': {
    allowed: ['answers that are none are a 502'],
    prints: 'Status: 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  },
  'a status given twice': {
    allowed: ['answers that are none are a 502'],
    prints: `Status: 404 Not Found\r\nStatus: 200 OK\r\n${html}\r\nx`,
  },
  'a status line of HTTP': { allowed: ['status line of HTTP'], prints: `HTTP/1.1 404 Not Found\r\n${html}\r\nx` },
  'a status of 204': { prints: 'Status: 204 No Content\r\n\r\n' },
  'a status of 204 with a body': {
    allowed: { nginx: ['type of an answer without a body'] },
    prints: `Status: 204 No Content\r\n${html}\r\nx`,
  },
  'a status of 304': { prints: 'Status: 304 Not Modified\r\nETag: "a"\r\n\r\n' },
  'a status of 304 with a body': {
    allowed: { nginx: ['type of an answer without a body'] },
    prints: `Status: 304 Not Modified\r\n${html}ETag: "a"\r\n\r\nx`,
  },
  'a status of 206': { prints: `Status: 206 Partial Content\r\n${html}Content-Range: bytes 0-0/2\r\n\r\nx` },
  'a status of 401': { prints: `Status: 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\n${html}\r\nx` },
  'two cookies': { prints: `${html}Set-Cookie: a=1\r\nSet-Cookie: b=2; Path=/\r\n\r\nx` },
  'a field printed twice': { allowed: { nginx: ['fields printed twice'] }, prints: `${html}X-A: 1\r\nX-A: 2\r\n\r\nx` },
  'a type printed twice': { prints: 'Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx' },
  'fields with odd values': {
    allowed: ['space behind a value'],
    prints: `${html}X-Empty:\r\nX-Latin1: \xe9\r\nX-Space:   a  \r\nX-Colon: a:b\r\n\r\nx`,
  },
  'a field with a name in lower case': { prints: `${html}x-lower-case: a\r\n\r\nx` },
  'fields of the connection in an answer': {
    prints: `${html}Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nx`,
  },
  'a coding of the transfer': {
    allowed: ['answers that are none are a 502'],
    prints: `${html}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  },
  'a date and a server': {
    allowed: ['date and server of a program'],
    prints: `${html}Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: mine\r\n\r\nx`,
  },
  'a date of change and a tag': { prints: `${html}Last-Modified: Sun, 29 Nov 2026 10:00:00 GMT\r\nETag: "a"\r\n\r\nx` },
  'a date of change that the client has': {
    allowed: ['conditions of the client'],
    fields: [['If-Modified-Since', 'Sun, 29 Nov 2026 10:00:00 GMT']],
    prints: `${html}Last-Modified: Sun, 29 Nov 2026 10:00:00 GMT\r\n\r\nx`,
  },
  'a tag that the client has': {
    allowed: ['conditions of the client'],
    fields: [['If-None-Match', '"a"']],
    prints: `${html}ETag: "a"\r\n\r\nx`,
  },
  'a range of what is printed': { fields: [['Range', 'bytes=1-2']], prints: `${html}Content-Length: 5\r\n\r\nhello` },
  'fields for CGI alone': { prints: `${html}Script-Control: no-abort\r\nX-CGI-Mine: a\r\n\r\nx` },
  'the right length': { prints: `${html}Content-Length: 5\r\n\r\nhello` },
  'a length that is too short': {
    allowed: ['answers end where they say'],
    prints: `${html}Content-Length: 3\r\n\r\nhello`,
  },
  // Of a short one Apache may have seen the end before it sends the length.
  'a length that is too long': { prints: `${html}Content-Length: 300000\r\n\r\n${'x'.repeat(200_000)}` },
  'a length of 0 and a body': {
    allowed: ['answers end where they say'],
    prints: `${html}Content-Length: 0\r\n\r\nhello`,
  },
  'a length that is no number': {
    allowed: ['answers that are none are a 502'],
    prints: `${html}Content-Length: five\r\n\r\nhello`,
  },
  'two lengths': {
    allowed: ['answers that are none are a 502'],
    prints: `${html}Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello`,
  },
  'a HEAD with a body': { method: 'HEAD', prints: `${html}X-A: b\r\n\r\nhello` },
  'a HEAD with a length': { method: 'HEAD', prints: `${html}Content-Length: 5\r\n\r\nhello` },
  'a HEAD with a length and no body': { method: 'HEAD', prints: `${html}Content-Length: 5\r\n\r\n` },
  'a body of all octets in an answer': {
    prints: `Content-Type: application/octet-stream\r\n\r\n${String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet))}`,
  },
  'a body of 200,000 octets': { prints: `${html}\r\n${'x'.repeat(200_000)}` },
  'an answer to HTTP/1.0': { protocol: 'HTTP/1.0', prints: `${html}\r\nhello` },
  'a folded field': { allowed: ['answers that are none are a 502'], prints: `${html}X-Folded: a\r\n b\r\n\r\nx` },
  'a line without a colon': { allowed: ['answers that are none are a 502'], prints: `${html}no field\r\n\r\nx` },
  'a name with a space': { allowed: ['answers that are none are a 502'], prints: `${html}X A: b\r\n\r\nx` },
  'a space before the colon': { allowed: ['answers that are none are a 502'], prints: `${html}X-A : b\r\n\r\nx` },
  'a line of 6,000 octets': { prints: `${html}X-A: ${'a'.repeat(3000)}\r\n\r\nx` },
  'a line of 20,000 octets': {
    allowed: ['answers that are none are a 502'],
    prints: `${html}X-A: ${'a'.repeat(20_000)}\r\n\r\nx`,
  },
  nothing: { allowed: ['answers that are none are a 502'], prints: '' },
  'an empty line alone': { prints: '\r\n' },
  'an empty line and a body': { prints: '\nhello' },
  garbage: { allowed: ['answers that are none are a 502'], prints: 'hello, world' },
  'garbage of many lines': { allowed: ['answers that are none are a 502'], prints: 'hello\nworld\n\n' },
  'garbage with NUL': { allowed: ['answers that are none are a 502'], prints: '\0\x01\x02\x03\n\n' },
  'half a head': { allowed: ['answers that are none are a 502'], prints: 'Content-Type: text/html\r\nX-A: b' },
  'a head without its empty line': {
    allowed: ['answers that are none are a 502'],
    prints: 'Content-Type: text/html\r\nX-A: b\r\n',
  },
};
