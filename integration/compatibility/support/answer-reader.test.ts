import { describe, expect, test } from 'vitest';
import { AnswerReader, type Wire } from './answer-reader.js';

interface Sample {
  readonly wire: Wire;
  readonly text: string;
  readonly method?: string;
  readonly end?: 'fin' | 'reset';
  readonly seen: { readonly status?: number; readonly body: string; readonly ending: string };
}

const ok = 'HTTP/1.1 200 OK\r\n';

const samples: Record<string, Sample> = {
  'ends with Content-Length': {
    wire: 'http',
    text: `${ok}Content-Length: 3\r\n\r\nabc`,
    seen: { status: 200, body: 'abc', ending: 'whole' },
  },
  'ends with the last chunk': {
    wire: 'http',
    text: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n`,
    seen: { status: 200, body: 'abcd', ending: 'whole' },
  },
  'is broken without the last chunk': {
    wire: 'http',
    text: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    end: 'fin',
    seen: { status: 200, body: 'abc', ending: 'broken' },
  },
  'is broken short of its Content-Length': {
    wire: 'http',
    text: `${ok}Content-Length: 4\r\n\r\nabc`,
    end: 'fin',
    seen: { status: 200, body: 'abc', ending: 'broken' },
  },
  'is open as long as nothing says that it is over': {
    wire: 'http',
    text: `${ok}\r\nabc`,
    seen: { status: 200, body: 'abc', ending: 'open' },
  },
  'comes behind an interim response': {
    wire: 'http',
    text: `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Length: 0\r\n\r\n`,
    seen: { status: 200, body: '', ending: 'whole' },
  },
  'has no body for HEAD, whatever its length says': {
    wire: 'http',
    method: 'HEAD',
    text: `${ok}Content-Length: 9\r\n\r\n`,
    seen: { status: 200, body: '', ending: 'whole' },
  },
  'shows octets where none may be': {
    wire: 'http',
    text: 'HTTP/1.1 204 No Content\r\n\r\nabc',
    seen: { status: 204, body: 'abc', ending: 'whole' },
  },
  'ends over SCGI with the connection': {
    wire: 'scgi',
    text: 'Status: 200 OK\r\n\r\nabc',
    end: 'fin',
    seen: { status: 200, body: 'abc', ending: 'whole' },
  },
  'is open over SCGI until the connection ends': {
    wire: 'scgi',
    text: 'Status: 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    seen: { status: 200, body: 'abc', ending: 'open' },
  },
  'is broken over SCGI by a reset': {
    wire: 'scgi',
    text: 'Status: 200 OK\r\n\r\nabc',
    end: 'reset',
    seen: { status: 200, body: 'abc', ending: 'broken' },
  },
  'is broken over SCGI short of its Content-Length': {
    wire: 'scgi',
    text: 'Status: 200 OK\r\nContent-Length: 4\r\n\r\nabc',
    end: 'fin',
    seen: { status: 200, body: 'abc', ending: 'broken' },
  },
  'is broken without a head': { wire: 'http', text: '', end: 'fin', seen: { body: '', ending: 'broken' } },
};

describe.each(Object.entries(samples))('a response %s', (_name, { wire, text, method = 'GET', end, seen }) => {
  test.each([1, 2, 7, text.length])('read %i octets at a time', (size) => {
    const reader = new AnswerReader(wire, method);
    const bytes = Buffer.from(text, 'latin1');
    for (let at = 0; at < bytes.length; at += Math.max(size, 1)) reader.receive(bytes.subarray(at, at + size));
    if (end !== undefined) reader.end(end);
    const status = reader.head === undefined ? {} : { status: reader.head.status };
    expect({ ...status, body: reader.body.toString(), ending: reader.ending }).toEqual(seen);
  });
});
