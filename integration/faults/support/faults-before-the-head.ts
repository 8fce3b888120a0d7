// What can go wrong until the first byte of an answer: no connection, and a request that does not get through.

import * as mock from '@scgi/testing';
import type { Fault } from './fault.js';
import { half, short } from './fault.js';

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
    // Not short: until our own buffers are full it is we whom the exchange waits for, on a busy machine for some time.
    options: { idleTimeout: 600 },
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

export const faultsBeforeTheHead: readonly Fault[] = [...connection, ...request];
