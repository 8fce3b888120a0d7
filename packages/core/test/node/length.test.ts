// Content-Length is sent whenever it is known: it alone shows a broken response on a Unix socket.

import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { exchange, head } from '../support/raw-client.js';
import { tcpServer } from '../support/servers.js';

async function answerTo(listener: RequestListener, variables: Record<string, string> = {}): Promise<string> {
  const server = await tcpServer(listener);
  return (await exchange(server.address(), head(variables))).text;
}

describe('a body whose length is known when the head goes out', () => {
  it.each<[string, RequestListener, string]>([
    ['end(string)', (_req, res) => res.end('héllo'), 'Content-Length: 6\r\n\r\nh\xc3\xa9llo'],
    [
      'writeHead() and end(string)',
      (_req, res) => res.writeHead(200).end('héllo'),
      'Content-Length: 6\r\n\r\nh\xc3\xa9llo',
    ],
    [
      'writeHead() and end(latin1)',
      (_req, res) => res.writeHead(200).end('é', 'latin1'),
      'Content-Length: 1\r\n\r\n\xe9',
    ],
    [
      'writeHead() and end(bytes)',
      (_req, res) => res.writeHead(200).end(Buffer.from('abc')),
      'Content-Length: 3\r\n\r\nabc',
    ],
    ['writeHead() and end()', (_req, res) => res.writeHead(200).end(), 'Content-Length: 0\r\n\r\n'],
    ['writeHead() and end(callback)', (_req, res) => res.writeHead(200).end(() => {}), 'Content-Length: 0\r\n\r\n'],
    [
      'Transfer-Encoding of the application and end(string)',
      (_req, res) => res.writeHead(200, { 'transfer-encoding': 'chunked' }).end('abc'),
      'Status: 200 OK\r\nContent-Length: 3\r\n\r\nabc',
    ],
  ])('has a Content-Length after %s', async (_name, listener, expected) => {
    expect(await answerTo(listener)).toContain(expected);
  });

  it.each<[string, RequestListener]>([
    ['streamed', (_req, res) => void (res.write('a'), res.end('b'))],
    ['flushed before it is known', (_req, res) => void (res.flushHeaders(), res.end('ab'))],
    [
      'without one by the wish of the application',
      (_req, res) => void (res.removeHeader('content-length'), res.end('ab')),
    ],
  ])('has none when it is %s', async (_name, listener) => {
    const text = await answerTo(listener);
    expect(text).not.toMatch(/content-length/i);
    expect(text).toMatch(/\r\n\r\nab$/);
  });

  it.each([
    ['HEAD', { REQUEST_METHOD: 'HEAD' }, 200],
    ['204', {}, 204],
    ['304', {}, 304],
  ])('has none and no body for %s', async (_name, variables, status) => {
    const text = await answerTo((_req, res) => void res.writeHead(status).end('body'), variables);
    expect(text).toMatch(/^Status: \d+ [^\r]+\r\n\r\n$/);
  });

  it('keeps the one that the application states for HEAD', async () => {
    const text = await answerTo((_req, res) => void res.writeHead(200, { 'content-length': 5 }).end(), {
      REQUEST_METHOD: 'HEAD',
    });
    expect(text).toBe('Status: 200 OK\r\ncontent-length: 5\r\n\r\n');
  });
});
