// Responses of bridges: what is on the wire, what is refused before anything is, and how a response ends.

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { bridge } from '../support/bridged.js';
import { head, within } from '../support/raw-client.js';

const mismatch = expect.objectContaining({ code: 'ERR_SCGI_BODY_LENGTH_MISMATCH' });

describe('send', () => {
  it.each<[string, string | Uint8Array | null, string]>([
    ['text, as UTF-8', '\u00e9', '\xc3\xa9'],
    ['bytes', new Uint8Array([0, 255]), '\0\xff'],
    ['nothing', null, ''],
  ])('sends head and length with %s', async (_what, body, wire) => {
    const { writer, ending } = await bridge();
    writer.send(200, undefined, ['x-a', 'b'], body, true);
    const text = `Status: 200 OK\r\nx-a: b\r\nContent-Length: ${wire.length}\r\n\r\n${wire}`;
    expect(await ending).toEqual({ text, by: 'fin' });
    expect([writer.headSent, writer.ended]).toEqual([true, true]);
  });

  it('sends a value in latin1 beside a body in UTF-8', async () => {
    const { writer, ending } = await bridge();
    writer.send(200, 'Caf\xe9', ['x-a', '\xe9'], '\u00e9', true);
    expect((await ending).text).toBe('Status: 200 Caf\xe9\r\nx-a: \xe9\r\nContent-Length: 2\r\n\r\n\xc3\xa9');
  });

  it('keeps the length that is stated, and refuses another one before anything is sent', async () => {
    const { writer, ending } = await bridge();
    expect(() => writer.send(200, undefined, ['content-length', '4'], 'abc', true)).toThrow(mismatch);
    expect(writer.headSent).toBe(false);
    writer.send(200, undefined, ['content-length', '3'], 'abc', true);
    expect((await ending).text).toBe('Status: 200 OK\r\ncontent-length: 3\r\n\r\nabc');
  });

  it.each([
    ['HEAD', 200, 'abc', 'Content-Length: 3\r\n'],
    ['HEAD', 200, null, ''],
    ['GET', 204, 'abc', ''],
    ['GET', 304, 'abc', ''],
  ])('sends no body for %s with %i, and the length only where it has one', async (method, status, body, length) => {
    const { writer, ending } = await bridge(head({ REQUEST_METHOD: method }));
    writer.send(status, 'Reason', [], body, true);
    expect((await ending).text).toBe(`Status: ${status} Reason\r\n${length}\r\n`);
  });

  it('refuses an impossible head and leaves the way free for another', async () => {
    const { writer, ending } = await bridge();
    expect(() => writer.send(42, undefined, [], '', true)).toThrow(/ERR_SCGI_STATUS_CODE|status code/);
    expect(() => writer.send(200, undefined, ['a b', 'c'], '', true)).toThrow(/field/);
    writer.send(500, undefined, [], '', true);
    expect((await ending).text).toBe('Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n');
  });

  it('refuses a second response', async () => {
    const { writer } = await bridge();
    writer.send(200, undefined, [], '', true);
    expect(() => writer.send(200, undefined, [], '', true)).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_STATE' }),
    );
  });

  it('does nothing to a connection that is gone', async () => {
    const { writer, client, closed } = await bridge(head({ CONTENT_LENGTH: '5' }));
    client.destroy();
    await within('the close', closed);
    writer.send(200, undefined, [], 'abc', true);
    expect(writer.ended).toBe(true);
  });
});

describe('a body in pieces', () => {
  it('is sent as it comes', async () => {
    const { writer, ending } = await bridge();
    writer.writeHead(200, undefined, []);
    writer.write('a');
    writer.write(new Uint8Array([98]));
    writer.end(true);
    expect(await ending).toEqual({ text: 'Status: 200 OK\r\n\r\nab', by: 'fin' });
  });

  it('counts down what is stated', async () => {
    const { writer, ending } = await bridge();
    writer.writeHead(200, undefined, ['content-length', '3']);
    writer.write('\u00e9');
    expect(writer.bytesMissing).toBe(1);
    writer.write('b');
    expect(writer.bytesMissing).toBe(0);
    writer.end(true);
    expect((await ending).by).toBe('fin');
  });

  it('misses nothing where no length is stated or no body wanted', async () => {
    const { writer } = await bridge();
    writer.writeHead(200, undefined, []);
    expect(writer.bytesMissing).toBe(0);
    const other = await bridge(head({ REQUEST_METHOD: 'HEAD' }));
    other.writer.writeHead(200, undefined, ['content-length', '3']);
    expect([other.writer.bytesMissing, other.writer.hasBody]).toEqual([0, false]);
    other.writer.end(true);
    expect((await other.ending).by).toBe('fin');
  });

  it('that is longer than stated is cut to its length', async () => {
    const { writer, ending } = await bridge();
    writer.writeHead(200, undefined, ['content-length', '3']);
    expect(() => writer.write('abcd')).toThrow(mismatch);
    writer.end(true);
    expect(await ending).toEqual({ text: 'Status: 200 OK\r\ncontent-length: 3\r\n\r\nabc', by: 'fin' });
  });

  it('that is shorter than stated is broken off', async () => {
    const { writer, client, ending } = await bridge();
    writer.writeHead(200, undefined, ['content-length', '3']);
    writer.write('ab');
    // libuv shows a reset that comes together with bytes as an end.
    await once(client, 'data');
    writer.end(true);
    expect((await ending).by).toBe('reset');
    expect(writer.ended).toBe(true);
  });

  it('is not written after its end', async () => {
    const { writer, ending } = await bridge();
    writer.writeHead(200, undefined, []);
    writer.end(true);
    expect(writer.write('late')).toBe(true);
    expect((await ending).text).toBe('Status: 200 OK\r\n\r\n');
  });

  it('is blocked by a client that takes nothing, until it does', async () => {
    const { writer, client, drained } = await bridge(head(), {}, false);
    writer.writeHead(200, undefined, []);
    const chunk = Buffer.alloc(1 << 20);
    let written = 0;
    while (writer.write(chunk) && written < 1 << 28) written += chunk.length;
    expect(writer.isBlocked).toBe(true);
    const free = drained();
    client.resume();
    await within('the drain', free);
    expect(writer.isBlocked).toBe(false);
  });
});

describe('event streams', () => {
  const types = ['text/event-stream', 'Text/Event-Stream; charset=utf-8'];
  it.each(types)('of type %s tell nginx to pass each event on', async (type) => {
    const { writer, ending } = await bridge();
    writer.writeHead(200, undefined, ['Content-Type', type]);
    writer.end(true);
    expect((await ending).text).toContain('\r\nX-Accel-Buffering: no\r\n\r\n');
  });

  it('do not if the application or the option says otherwise', async () => {
    const own = await bridge();
    own.writer.writeHead(200, undefined, ['content-type', 'text/event-stream', 'x-accel-buffering', 'yes']);
    own.writer.end(true);
    expect((await own.ending).text).not.toContain('no\r\n');
    const off = await bridge(head(), { unbufferedEvents: false });
    off.writer.writeHead(200, undefined, ['content-type', 'text/event-stream']);
    off.writer.end(true);
    expect((await off.ending).text).not.toContain('X-Accel');
  });
});

describe('a file that the front end sends', () => {
  const frontEnd = { sendfile: { root: '/srv', field: 'X-File' } };

  it('has no length of ours', async () => {
    const { writer, ending } = await bridge(head(), { frontEnd });
    writer.send(200, undefined, ['x-file', '/srv/a'], null, true);
    expect(await ending).toEqual({ text: 'Status: 200 OK\r\nx-file: /srv/a\r\n\r\n', by: 'fin' });
  });

  it.each([
    ['nothing is said of the front end', {}, 'x-file'],
    ['the field is another one', { frontEnd }, 'x-sendfile'],
  ])('is none where %s', async (_name, options, field) => {
    const { writer, ending } = await bridge(head(), options);
    writer.send(200, undefined, [field, '/srv/a'], null, true);
    expect((await ending).text).toContain('\r\nContent-Length: 0\r\n');
  });
});

describe('the end', () => {
  it('discards what nobody reads of the request', async () => {
    const { writer, client, ending } = await bridge(head({ CONTENT_LENGTH: '6' }) + 'abc');
    writer.send(413, undefined, [], 'no', true);
    client.write('def');
    expect((await ending).by).toBe('fin');
  });

  it('is a reset where the rest must not pass for whole', async () => {
    const { writer, client, ending } = await bridge();
    writer.writeHead(200, undefined, []);
    await once(client, 'data');
    writer.breakOff();
    expect((await ending).by).toBe('reset');
    expect(writer.ended).toBe(true);
  });
});
