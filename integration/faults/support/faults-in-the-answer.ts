// What can go wrong with an answer: in its head, in its body, and at its end.

import type { ScgiErrorCode } from '@scgi/core/protocol';
import * as mock from '@scgi/testing';
import type { Fault } from './fault.js';
import { answerOf, half, halfOpen, head, seenHalf, short, shortTotal } from './fault.js';

const inHead: readonly Fault[] = [
  ...[1, 12, head.length - 1].flatMap((bytes): readonly Fault[] => [
    {
      stage: 'head',
      name: `FIN at byte ${bytes} of the head`,
      script: [mock.endAt(bytes), mock.answer()],
      expected: { codes: ['ERR_SCGI_RESPONSE_HEAD'] },
    },
    {
      stage: 'head',
      name: `reset at byte ${bytes} of the head`,
      // On a Unix socket only unread input makes a reset.
      script: [mock.receiveBody(1), mock.send(head.subarray(0, bytes)), mock.reset()],
      asks: 'POST',
      expected: { codes: ['ERR_SCGI_BACKEND_RESET'] },
    },
    {
      stage: 'head',
      name: `silence at byte ${bytes} of the head`,
      script: [mock.stallAt(bytes), mock.answer()],
      options: { idleTimeout: short },
      expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'] },
    },
  ]),
  {
    stage: 'head',
    name: 'a head that drips beyond the total time',
    script: [mock.receive(), mock.drip(`X-A: ${'a'.repeat(500)}`, 20), mock.stall()],
    options: { idleTimeout: 1000, totalTimeout: shortTotal },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'] },
  },
  {
    stage: 'head',
    name: 'a head that drips in time',
    script: [mock.receive(), mock.drip(mock.answerBytes({ body: 'ok' }), 2), mock.end()],
    options: { idleTimeout: 400 },
    expected: { status: 200, body: 'ok' },
  },
  {
    stage: 'head',
    name: 'a head without end',
    script: [mock.receive(), mock.sendRepeatedly(`X-A: ${'a'.repeat(1000)}\r\n`, 1_000_000)],
    expected: { codes: ['ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'] },
  },
  {
    stage: 'head',
    name: 'a line without end',
    script: [mock.receive(), mock.sendRepeatedly('a'.repeat(1000), 1_000_000)],
    expected: { codes: ['ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'] },
  },
  {
    stage: 'head',
    name: 'a head that is larger than allowed',
    script: mock.perConnection(mock.answer({ fields: { 'X-A': 'a'.repeat(200) } }), mock.answer({ body: 'ok' })),
    options: { maxHeadBytes: 100 },
    expected: { codes: ['ERR_SCGI_RESPONSE_HEAD_TOO_LARGE'] },
  },
  ...Object.entries({
    '\0\xff\x01\x02\r\n\r\n': 'ERR_SCGI_RESPONSE_HEAD',
    'SSH-2.0-OpenSSH_9.6\r\n': 'ERR_SCGI_RESPONSE_HEAD',
    'Status: banana\r\n\r\n': 'ERR_SCGI_RESPONSE_STATUS',
    'HTTP/2 200\r\n\r\n': 'ERR_SCGI_RESPONSE_STATUS',
    'Status: 200\r\nContent-Length: -1\r\n\r\n': 'ERR_SCGI_RESPONSE_CONTENT_LENGTH',
    'Status: 200\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok': 'ERR_SCGI_RESPONSE_CONTENT_LENGTH',
    'Status: 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n': 'ERR_SCGI_RESPONSE_FRAMING',
    'Status: 200\r\nX A: 1\r\n\r\n': 'ERR_SCGI_RESPONSE_HEAD',
    'Status: 200\r\nX-A: a\0b\r\n\r\n': 'ERR_SCGI_RESPONSE_HEAD',
  } satisfies Record<string, ScgiErrorCode>).map(([bytes, code]): Fault => ({
    stage: 'head',
    name: `garbage: ${JSON.stringify(bytes)}`,
    script: answerOf(bytes),
    expected: { codes: [code] },
  })),
];

const inBody: readonly Fault[] = [
  {
    stage: 'body',
    name: 'FIN before Content-Length',
    script: [seenHalf(half), mock.end()],
    expected: { codes: ['ERR_SCGI_RESPONSE_TRUNCATED'], after: 'half' },
  },
  {
    stage: 'body',
    name: 'reset before Content-Length',
    script: [seenHalf(half), mock.reset()],
    transports: ['tcp'],
    expected: { codes: ['ERR_SCGI_BACKEND_RESET'], after: 'half' },
  },
  {
    stage: 'body',
    name: 'reset in a body without Content-Length',
    script: [mock.receiveBody(1), mock.send(mock.answerBytes(halfOpen)), mock.gate('seen'), mock.reset()],
    asks: 'POST',
    bodyBytes: 16_000_000,
    expected: { codes: ['ERR_SCGI_BACKEND_RESET'], after: 'half' },
  },
  {
    stage: 'body',
    name: 'silence in the body',
    script: [seenHalf(half), mock.stall()],
    options: { idleTimeout: short },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'], after: 'half' },
  },
  {
    stage: 'body',
    name: 'silence in a body without Content-Length',
    script: [seenHalf(halfOpen), mock.stall()],
    options: { idleTimeout: short },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'], after: 'half' },
  },
  {
    stage: 'body',
    name: 'a body that drips beyond the total time',
    script: [
      mock.receive(),
      mock.send(head.toString().replace('0\r\n\r\n', '900\r\n\r\n')),
      mock.drip('x'.repeat(900), 20),
    ],
    options: { idleTimeout: 1000, totalTimeout: shortTotal },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'], after: 'x' },
  },
  {
    stage: 'body',
    name: 'more than maxResponseSize, as announced',
    script: answerOf('Status: 200\r\nContent-Length: 11\r\n\r\nelevenbytes'),
    options: { maxResponseSize: 10 },
    expected: { codes: ['ERR_SCGI_RESPONSE_TOO_LARGE'] },
  },
  {
    stage: 'body',
    name: 'more than maxResponseSize, unannounced',
    script: [seenHalf(halfOpen), mock.send('more than ten'), mock.stall()],
    options: { maxResponseSize: 10 },
    expected: { codes: ['ERR_SCGI_RESPONSE_TOO_LARGE'], after: 'half' },
  },
];

const atTheEnd: readonly Fault[] = [
  {
    stage: 'end',
    name: 'more bytes than Content-Length',
    script: [mock.answer({ body: 'okay', lieAboutLength: -2 })],
    expected: { status: 200, body: 'ok' },
  },
  {
    stage: 'end',
    name: 'a flood behind Content-Length',
    script: [
      mock.receive(),
      mock.send(mock.answerBytes({ body: 'ok' })),
      mock.sendRepeatedly('x'.repeat(65_536), 1000),
    ],
    expected: { status: 200, body: 'ok' },
  },
  {
    stage: 'end',
    name: 'no FIN behind Content-Length',
    script: [mock.receive(), mock.send(mock.answerBytes({ body: 'ok' })), mock.stall()],
    expected: { status: 200, body: 'ok' },
  },
  {
    stage: 'end',
    name: 'a body with 204',
    script: [mock.answer({ status: 204, body: 'not due' })],
    expected: { status: 204, body: '' },
  },
  {
    stage: 'end',
    name: 'a body with 304',
    script: [mock.answer({ status: 304, body: 'not due' })],
    expected: { status: 304, body: '' },
  },
  {
    stage: 'end',
    name: 'a body to HEAD',
    script: [mock.answer({ body: 'not due' })],
    asks: 'HEAD',
    expected: { status: 200, body: '' },
  },
  {
    stage: 'end',
    name: 'an interim response',
    script: answerOf('Status: 103 Early Hints\r\nLink: </a>\r\n\r\nStatus: 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    expected: { status: 200, body: 'ok' },
  },
  {
    stage: 'end',
    name: 'lines that end with LF alone',
    script: answerOf('Status: 200\nContent-Length: 2\n\nok'),
    expected: { status: 200, body: 'ok' },
  },
  {
    stage: 'end',
    name: 'no head but an empty line',
    script: answerOf('\r\nok'),
    expected: { status: 200, body: 'ok' },
  },
];

export const faultsInTheAnswer: readonly Fault[] = [...inHead, ...inBody, ...atTheEnd];
