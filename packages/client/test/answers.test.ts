// Answers of every form, and those of real servers, cut at every byte: what a caller gets is always the same.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scgi, ScgiClient, type ScgiRequestOptions } from '../src/index.js';
import { answering, type BackendConnection, startBackend } from './support/backend.js';
import { rejection } from './support/rejection.js';
import { turns, within } from './support/within.js';

const limit = 20_000;

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly kind: string;
  readonly fields: readonly string[];
  readonly text: string;
}

async function ask(client: ScgiClient, options: ScgiRequestOptions): Promise<Answer> {
  const response = await client.request(options);
  const { status, reason, kind, fields } = response;
  return { status, reason, kind, fields, text: await response.text() };
}

/** What came of it, be it an error. */
async function outcome(client: ScgiClient, options: ScgiRequestOptions): Promise<unknown> {
  try {
    return await ask(client, options);
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

/** A client of a backend that cuts its answer where the path says. */
async function cutting(
  bytes: Buffer,
  deliver: (connection: BackendConnection, first: Buffer, rest: Buffer) => Promise<void>,
): Promise<ScgiClient> {
  const backend = await startBackend(async (connection) => {
    await connection.body();
    const cut = Number(connection.variables?.get('PATH_INFO')?.slice(1));
    await deliver(connection, bytes.subarray(0, cut), bytes.subarray(cut));
  });
  return new ScgiClient(backend.target, { maxConcurrent: 30, maxQueued: null, queueTimeout: 0 });
}

async function inTwoPieces({ socket }: BackendConnection, first: Buffer, rest: Buffer): Promise<void> {
  if (first.length > 0) socket.write(first);
  await turns(3);
  socket.end(rest);
}

async function endingEarly({ socket }: BackendConnection, first: Buffer): Promise<void> {
  socket.end(first);
}

/** The outcomes of cuts at every byte. */
function atEveryByte(client: ScgiClient, length: number, method = 'GET'): Promise<unknown[]> {
  const cuts = Array.from({ length: length + 1 }, (_, cut) => outcome(client, { method, path: `/${cut}` }));
  return within('all of them', Promise.all(cuts), limit);
}

interface Form {
  readonly bytes: string;
  readonly expected: Partial<Answer> | string;
  readonly method?: string;
}

const forms: Record<string, Form> = {
  'a Status line': {
    bytes: 'Status: 201 Made\r\nX-A: b\r\n\r\nbody',
    expected: { status: 201, reason: 'Made', kind: 'document', fields: ['X-A', 'b'], text: 'body' },
  },
  'a Status line that is not the first': {
    bytes: 'X-A: b\r\nstatus: 404\r\n\r\n',
    expected: { status: 404, reason: 'Not Found', fields: ['X-A', 'b'] },
  },
  'an HTTP/1.1 line': {
    bytes: 'HTTP/1.1 404 Gone away\r\n\r\nx',
    expected: { status: 404, reason: 'Gone away', text: 'x' },
  },
  'an HTTP/1.0 line': { bytes: 'HTTP/1.0 200 OK\nA: b\n\nx', expected: { status: 200, fields: ['A', 'b'], text: 'x' } },
  'lines that end with LF': { bytes: 'Status: 200 OK\nA: b\n\n\nx', expected: { status: 200, text: '\nx' } },
  'no Status': { bytes: 'Content-Type: text/plain\r\n\r\nx', expected: { status: 200, reason: 'OK', text: 'x' } },
  'a Location alone that is a path': {
    bytes: 'Location: /x\r\n\r\n',
    expected: { status: 302, kind: 'local-redirect' },
  },
  'a Location alone that is an URL': {
    bytes: 'Location: http://h/\r\n\r\n',
    expected: { status: 302, kind: 'client-redirect' },
  },
  'a Location with more': { bytes: 'Location: /x\r\nA: b\r\n\r\n', expected: { status: 302, kind: 'client-redirect' } },
  'interim heads': {
    bytes: 'Status: 103 Early Hints\r\nLink: x\r\n\r\nStatus: 100 Continue\r\n\r\nStatus: 200 OK\r\n\r\nx',
    expected: { status: 200, fields: [], text: 'x' },
  },
  'a body after 204': { bytes: 'Status: 204 No Content\r\n\r\nbody', expected: { status: 204, text: '' } },
  'a body after 304': {
    bytes: 'Status: 304 Not Modified\r\nContent-Length: 4\r\n\r\nbody',
    expected: { status: 304, text: '' },
  },
  'a body after HEAD': {
    bytes: 'Status: 200 OK\r\nContent-Length: 4\r\n\r\nbody',
    expected: { status: 200, text: '' },
    method: 'HEAD',
  },
  'a Content-Length': { bytes: 'Content-Length: 4\r\n\r\nbody', expected: { status: 200, text: 'body' } },
  'a Content-Length of 0': { bytes: 'Content-Length: 0\r\n\r\n', expected: { status: 200, text: '' } },
  'more than Content-Length': {
    bytes: 'Content-Length: 4\r\n\r\nbody and more',
    expected: { status: 200, text: 'body' },
  },
  'less than Content-Length': { bytes: 'Content-Length: 5\r\n\r\nbody', expected: 'ERR_SCGI_RESPONSE_TRUNCATED' },
  'a Content-Length that is no number': {
    bytes: 'Content-Length: 4x\r\n\r\nbody',
    expected: 'ERR_SCGI_RESPONSE_CONTENT_LENGTH',
  },
  'two that differ': {
    bytes: 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody',
    expected: 'ERR_SCGI_RESPONSE_CONTENT_LENGTH',
  },
  'a transfer coding': { bytes: 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', expected: 'ERR_SCGI_RESPONSE_FRAMING' },
  'a status that is no number': { bytes: 'Status: OK\r\n\r\n', expected: 'ERR_SCGI_RESPONSE_STATUS' },
  'another version': { bytes: 'HTTP/2 200\r\n\r\n', expected: 'ERR_SCGI_RESPONSE_STATUS' },
  'a line without a colon': { bytes: '<html>\r\n\r\n', expected: 'ERR_SCGI_RESPONSE_HEAD' },
  'a head without end': { bytes: 'Status: 200 OK\r\nA: b\r\n', expected: 'ERR_SCGI_RESPONSE_HEAD' },
  nothing: { bytes: '', expected: 'ERR_SCGI_RESPONSE_EMPTY' },
};

describe.each(Object.entries(forms))('%s', (_, { bytes, expected, method = 'GET' }) => {
  test('means the same wherever it is cut', async () => {
    const client = await cutting(Buffer.from(bytes, 'latin1'), inTwoPieces);
    const outcomes = await atEveryByte(client, bytes.length, method);
    if (typeof expected === 'string') expect(outcomes).toEqual(outcomes.map(() => expected));
    else for (const answer of outcomes) expect(answer).toMatchObject(expected);
  });
});

const captures = [
  'rtorrent-client-version',
  'rtorrent-fault',
  'uwsgi-get',
  'uwsgi-nph-get',
  'uwsgi-post',
  'uwsgi-stream',
  'uwsgi-unread-body',
];

describe.each(captures)('the answer %s of a real server', (name) => {
  const bytes = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.response`));
  const split = bytes.indexOf('\r\n\r\n');
  const head = bytes.subarray(0, split).toString('latin1');
  const text = bytes.subarray(split + 4).toString();
  const counted = head.includes('Content-Length');

  test('is read right wherever it is cut', async () => {
    const client = await cutting(bytes, inTwoPieces);
    for (const answer of await atEveryByte(client, bytes.length)) {
      expect(answer).toMatchObject({ status: 200, reason: 'OK', kind: 'document', text });
    }
  });

  test('is never whole when it ends early, if it says how long it is', async () => {
    const client = await cutting(bytes, endingEarly);
    const outcomes = await atEveryByte(client, bytes.length - 1);
    const whole = outcomes.filter((result) => typeof result !== 'string');
    expect(outcomes.slice(0, split + 3).every((result) => typeof result === 'string')).toBe(true);
    if (counted) expect(whole).toEqual([]);
    else expect(whole).toHaveLength(text.length);
  });
});

test('an rTorrent that dislikes a request closes without a word', async () => {
  const bytes = readFileSync(join(import.meta.dirname, 'fixtures', 'rtorrent-scgi-first.response'));
  const { target } = await answering(bytes);
  expect(await rejection(scgi(target))).toMatchObject({ code: 'ERR_SCGI_RESPONSE_EMPTY' });
});

test.each([
  [{ maxHeadBytes: 10 }, 'Status: 200 OK\r\n\r\n'],
  [{ maxLineBytes: 10 }, 'Status: 200 OK\r\n\r\n'],
  [{ maxHeadBytes: 0 }, '\r\n'],
  [{}, `X: ${'x'.repeat(8190)}\r\n\r\n`],
  [{ maxLineBytes: null }, `X: ${'x'.repeat(65_536)}\r\n\r\n`],
])('a head beyond %j is an error', async (limits, head) => {
  const { target } = await answering(head);
  expect(await rejection(scgi(target, limits))).toMatchObject({ code: 'ERR_SCGI_RESPONSE_HEAD_TOO_LARGE' });
});

test('null lifts the limits of a head', async () => {
  const { target } = await answering(`X: ${'x'.repeat(300_000)}\r\n\r\nbody`);
  const response = await scgi(target, { maxHeadBytes: null, maxLineBytes: null });
  expect(await response.text()).toBe('body');
});
