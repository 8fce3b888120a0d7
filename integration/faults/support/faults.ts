// Everything that a backend can do wrong, stage by stage, and what whoever called it must make of it.

import type { ScgiErrorCode } from '@scgi/core/protocol';
import type { AnswerParts, MockBehaviour, Script } from '@scgi/testing';
import * as mock from '@scgi/testing';
import type { Asked, FaceOptions } from './face.js';

export type Transport = 'unix' | 'tcp';

/** What must come of a fault. */
export type Expected =
  /** An error with one of these codes: before the head, or behind it and what came of the body. */
  | { readonly codes: readonly ScgiErrorCode[]; readonly after?: string }
  /** None: an answer that a tolerant reader takes for whole. */
  | { readonly status: number; readonly body: string };

/** One thing to go wrong. */
export interface Fault {
  readonly stage: 'connection' | 'request' | 'head' | 'body' | 'end';
  readonly name: string;
  /** What the first connection meets; where it is a list, later ones are answered. */
  readonly script: Script | MockBehaviour;
  /** Default: both. */
  readonly transports?: readonly Transport[];
  /** Default GET. */
  readonly asks?: Asked['method'];
  /** Of a POST. Default 1,000,000 bytes. */
  readonly bodyBytes?: number;
  readonly options?: FaceOptions;
  readonly expected: Expected | Readonly<Record<Transport, Expected>>;
  /** How the next request comes to be answered. Default: by the next connection. */
  readonly recovers?: 'by listening' | 'never';
}

const short = 70;
const head = mock.answerBytes({ body: '' });
const half: AnswerParts = { body: 'half', lieAboutLength: 4 };
const halfOpen: AnswerParts = { body: 'half', contentLength: null };
/** Half an answer, and nothing more until whoever asked has seen it. */
const seenHalf = (parts: AnswerParts): Script => [
  mock.receive(),
  mock.send(mock.answerBytes(parts)),
  mock.gate('seen'),
];
const answerOf = (bytes: string): Script => [mock.receive(), mock.send(bytes), mock.end()];

const connection: readonly Fault[] = [
  {
    stage: 'connection',
    name: 'refused',
    script: mock.refuse(mock.answer({ body: 'ok' })),
    expected: { codes: ['ERR_SCGI_BACKEND_UNREACHABLE'] },
    recovers: 'by listening',
  },
  {
    stage: 'connection',
    name: 'no socket file',
    script: mock.missing(mock.answer({ body: 'ok' })),
    transports: ['unix'],
    expected: { codes: ['ERR_SCGI_BACKEND_UNREACHABLE'] },
    recovers: 'by listening',
  },
  {
    stage: 'connection',
    name: 'a full queue that nobody serves',
    script: mock.neverAccept(),
    options: { connectTimeout: short },
    // A Unix socket does not wait: EAGAIN.
    expected: { tcp: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'] }, unix: { codes: ['ERR_SCGI_BACKEND_BUSY'] } },
    recovers: 'never',
  },
  {
    stage: 'connection',
    name: 'closed before a byte is read',
    script: [mock.closeBeforeReading()],
    // Whether the close comes before our first write or behind it is a race of kernels.
    expected: { codes: ['ERR_SCGI_BACKEND_RESET', 'ERR_SCGI_RESPONSE_EMPTY'] },
  },
];

const request: readonly Fault[] = [
  {
    stage: 'request',
    name: 'exit in the middle of an upload',
    script: [mock.exitAfter(1000)],
    asks: 'POST',
    expected: { codes: ['ERR_SCGI_BACKEND_RESET'] },
    recovers: 'by listening',
  },
  {
    stage: 'request',
    name: 'reset in the middle of an upload',
    script: [mock.receiveBody(1000), mock.reset()],
    asks: 'POST',
    expected: { codes: ['ERR_SCGI_BACKEND_RESET'] },
  },
  {
    stage: 'request',
    name: 'FIN in the middle of an upload',
    script: [mock.receiveBody(1000), mock.end()],
    asks: 'POST',
    expected: { codes: ['ERR_SCGI_RESPONSE_EMPTY'] },
  },
  {
    stage: 'request',
    name: 'an upload that is not taken',
    script: [mock.receiveBody(1000), mock.stallDeaf()],
    asks: 'POST',
    bodyBytes: 16_000_000,
    options: { idleTimeout: short },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'] },
  },
  {
    stage: 'request',
    name: 'an upload that is taken slowly, but taken',
    script: [mock.readSlowly({ bytes: 80_000, everyMs: 5 }), mock.answer({ body: 'taken' })],
    asks: 'POST',
    options: { idleTimeout: 400 },
    expected: { status: 200, body: 'taken' },
  },
  {
    stage: 'request',
    name: 'an answer in the middle of an upload, then a reset',
    script: [mock.receiveBody(1000), mock.send(mock.answerBytes({ status: 413, body: 'no' })), mock.reset()],
    asks: 'POST',
    expected: { status: 413, body: 'no' },
  },
  {
    stage: 'request',
    name: 'half an answer in the middle of an upload, then a reset',
    script: [mock.receiveBody(1000), mock.send(mock.answerBytes(half)), mock.gate('seen'), mock.reset()],
    asks: 'POST',
    bodyBytes: 16_000_000,
    expected: { codes: ['ERR_SCGI_BACKEND_RESET', 'ERR_SCGI_RESPONSE_TRUNCATED'], after: 'half' },
  },
  {
    stage: 'request',
    name: 'silence after the request',
    script: [mock.receive(), mock.stall()],
    options: { firstByteTimeout: short },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'] },
  },
  {
    stage: 'request',
    name: 'silence from the start',
    script: [mock.stallDeaf()],
    options: { firstByteTimeout: short },
    expected: { codes: ['ERR_SCGI_BACKEND_TIMEOUT'] },
  },
  {
    stage: 'request',
    name: 'FIN after the request',
    script: [mock.receive(), mock.end()],
    expected: { codes: ['ERR_SCGI_RESPONSE_EMPTY'] },
  },
  {
    stage: 'request',
    name: 'reset after the request',
    script: [mock.receive(), mock.reset()],
    transports: ['tcp'],
    expected: { codes: ['ERR_SCGI_BACKEND_RESET'] },
  },
];

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
    options: { idleTimeout: 1000, totalTimeout: 100 },
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
    options: { idleTimeout: 1000, totalTimeout: 100 },
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

export const faults: readonly Fault[] = [...connection, ...request, ...inHead, ...inBody, ...atTheEnd];
