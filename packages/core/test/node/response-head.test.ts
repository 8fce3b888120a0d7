import { describe, expect, it } from 'vitest';
import { statusField, toCgiHead } from '../../src/node/response-head.js';

const head = (...lines: string[]): string => ['Status: 200 OK', ...lines, '', ''].join('\r\n');

describe('toCgiHead', () => {
  it.each([
    ['Connection: keep-alive'],
    ['Keep-Alive: timeout=5'],
    ['Proxy-Connection: close'],
    ['TE: trailers'],
    ['Trailer: Expires'],
    ['Transfer-Encoding: chunked'],
    ['upgrade: h2c'],
    ['STATUS: 404 Not Found'],
  ])('cuts %s', (line) => {
    expect(toCgiHead(head('X-A: 1', line, 'X-B: 2'), true)).toBe(head('X-A: 1', 'X-B: 2'));
  });

  it('cuts the fields that Connection names', () => {
    expect(toCgiHead(head('Connection: close, X-Hop', 'X-Hop: 1', 'X-Hop2: 2'), true)).toBe(head('X-Hop2: 2'));
  });

  it('cuts the length of a 204, and of nothing else', () => {
    const noContent = 'Status: 204 No Content\r\n';
    expect(toCgiHead(`${noContent}content-length: 5\r\nX-A: 1\r\n\r\n`, true)).toBe(`${noContent}X-A: 1\r\n\r\n`);
    expect(toCgiHead(head('Content-Length: 5'), true)).toBe(head('Content-Length: 5'));
  });

  it('leaves alone what only looks like one of these', () => {
    const text = head('X-Connection: a', 'Location: /?transfer-encoding:', 'Status-Page: 1', 'Tea: green');
    expect(toCgiHead(text, true)).toBe(text);
  });

  it('tells nginx not to buffer an event stream', () => {
    expect(toCgiHead(head('Content-Type: text/event-stream; charset=utf-8'), true)).toBe(
      head('Content-Type: text/event-stream; charset=utf-8', 'X-Accel-Buffering: no'),
    );
  });

  it.each([
    ['the application decides itself', head('Content-Type: text/event-stream', 'X-Accel-Buffering: yes'), true],
    ['the option is off', head('Content-Type: text/event-stream'), false],
    ['it is no event stream', head('Content-Type: text/event'), true],
  ])('adds no X-Accel-Buffering where %s', (_name, text, unbuffered) => {
    expect(toCgiHead(text, unbuffered)).toBe(text);
  });
});

describe('statusField', () => {
  it('makes a status line the field that every front end understands', () => {
    expect(statusField('HTTP/1.1 404 Not Found\r\n')).toBe('Status: 404 Not Found\r\n');
  });
});
