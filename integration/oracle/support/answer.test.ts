import { describe, expect, it } from 'vitest';
import { parseHttpAnswer, parseScgiAnswer } from './answer.js';

const http = (text: string, ending: 'fin' | 'reset' = 'fin') =>
  parseHttpAnswer(Buffer.from(text, 'latin1'), ending, 'GET');
const scgi = (text: string, ending: 'fin' | 'reset' = 'fin') =>
  parseScgiAnswer(Buffer.from(text, 'latin1'), ending, 'GET');

describe('parseHttpAnswer', () => {
  it('takes chunk framing off and keeps trailers', () => {
    const answer = http(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 4\r\n\r\n',
    );
    expect(answer.body.toString()).toBe('abcd');
    expect(answer.trailers).toEqual([['X-Sum', '4']]);
    expect(answer.ended).toBe('complete');
  });

  it.each(['3\r\nabc\r\n', '3\r\nab', 'zz\r\n', '0\r\n'])('sees that the chunks %j break off', (chunks) => {
    expect(http(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`).ended).toBe('truncated');
  });

  it('counts interim responses apart from the final one', () => {
    const answer = http('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n');
    expect(answer.interim).toEqual(['103 Early Hints']);
    expect(answer.status).toBe(404);
  });
});

describe('parseScgiAnswer', () => {
  it('reads status, fields in order, and the body up to the end', () => {
    const answer = scgi('Status: 201 Made\r\nB: 1\r\na: 2\r\n\r\nbody');
    expect([answer.status, answer.reason]).toEqual([201, 'Made']);
    expect(answer.fields).toEqual([
      ['B', '1'],
      ['a', '2'],
    ]);
    expect([answer.body.toString(), answer.ended]).toEqual(['body', 'complete']);
  });

  it('sees a body that is shorter than its Content-Length', () => {
    expect(scgi('Status: 200 OK\r\nContent-Length: 9\r\n\r\nbody').ended).toBe('truncated');
  });

  it('sees a reset before the end of the body', () => {
    expect(scgi('Status: 200 OK\r\n\r\nbody', 'reset').ended).toBe('reset');
  });

  it('shows chunk framing that reached the wire as content', () => {
    const answer = scgi('Status: 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n');
    expect(answer.body.toString()).toBe('1\r\na\r\n0\r\n\r\n');
  });

  it('shows a body after a 204', () => {
    expect(scgi('Status: 204 No Content\r\n\r\nbody').body.toString()).toBe('body');
  });

  it('has no status where the first line is not a status', () => {
    expect(scgi('Content-Type: text/plain\r\nStatus: 200 OK\r\n\r\n').reason).toBe(
      'no status: Content-Type: text/plain',
    );
  });
});
