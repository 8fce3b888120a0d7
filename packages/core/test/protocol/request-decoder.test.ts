import { describe, expect, test, vi } from 'vitest';
import { LocalProtocolError, RemoteProtocolError, RequestDecoder, RequestState } from '../../src/protocol/index.js';
import type { RequestEvent } from '../../src/protocol/index.js';
import { byteByByte, decode, decodeEveryWay, eof, netstring, text, wire } from './drive.js';

const get = '24:CONTENT_LENGTH␀0␀SCGI␀1␀,';
const post = '24:CONTENT_LENGTH␀5␀SCGI␀1␀,';
const getHead = { variables: ['CONTENT_LENGTH', '0', 'SCGI', '1'], bodyLength: 0, bytes: 24 };
const postHead = { variables: ['CONTENT_LENGTH', '5', 'SCGI', '1'], bodyLength: 5, bytes: 24 };

/** A decoder that was fed the text in one chunk and pulled dry. */
function fed(bytes: string): RequestDecoder {
  const decoder = new RequestDecoder();
  decoder.receiveData(wire(bytes));
  while (decoder.nextEvent() !== null);
  return decoder;
}

describe('RequestDecoder', () => {
  test('decodes the example of the SCGI specification', () => {
    const bytes =
      '70:CONTENT_LENGTH␀27␀SCGI␀1␀REQUEST_METHOD␀POST␀REQUEST_URI␀/deepthought␀,What is the answer to life?';
    expect(decodeEveryWay(() => new RequestDecoder(), wire(bytes))).toEqual([
      {
        head: {
          variables: ['CONTENT_LENGTH', '27', 'SCGI', '1', 'REQUEST_METHOD', 'POST', 'REQUEST_URI', '/deepthought'],
          bodyLength: 27,
          bytes: 70,
        },
      },
      { body: 'What is the answer to life?' },
      { end: true },
    ]);
  });

  test('delivers head and end of a request without a body, and no body event', () => {
    expect(decodeEveryWay(() => new RequestDecoder(), wire(get))).toEqual([{ head: getHead }, { end: true }]);
  });

  test('delivers body data as views of the received chunks', () => {
    const decoder = new RequestDecoder();
    const first = wire(`${post}ab`);
    const second = wire('cde');
    decoder.receiveData(first);
    decoder.receiveData(second);
    const events = [...pull(decoder)];
    expect(events.map((event) => event.type)).toEqual(['head', 'body', 'body', 'end']);
    const [one, two] = events.flatMap((event) => (event.type === 'body' ? [event.data] : []));
    expect(one?.buffer).toBe(first.buffer);
    expect(one && text(one)).toBe('ab');
    expect(two).toBe(second);
  });

  test('decodes nothing before it is asked', () => {
    const decoder = new RequestDecoder();
    decoder.receiveData(wire('GET'));
    expect(decoder.state).toBe(RequestState.Start);
    expect(() => decoder.nextEvent()).toThrow(RemoteProtocolError);
  });

  test('takes any number of chunks before it is asked', () => {
    const decoder = new RequestDecoder();
    for (const byte of byteByByte(wire(`${post}abcde`))) decoder.receiveData(byte);
    expect([...pull(decoder)].map((event) => event.type)).toEqual([
      'head',
      ...Array.from({ length: 5 }, () => 'body'),
      'end',
    ]);
  });

  test('ignores empty chunks', () => {
    const chunks = byteByByte(wire(`${post}abcde`)).flatMap((byte) => [new Uint8Array(0), byte]);
    expect(decode(new RequestDecoder(), chunks)).toEqual([{ head: postHead }, { body: 'abcde' }, { end: true }]);
  });

  test('reads a head out of the middle of a larger buffer', () => {
    const buffer = Buffer.from(`xxxx${get.replaceAll('␀', '\0')}`);
    expect(decode(new RequestDecoder(), [buffer.subarray(4)])).toEqual([{ head: getHead }, { end: true }]);
  });

  test('tells how much of the body is missing', () => {
    const decoder = new RequestDecoder();
    expect(decoder.bodyBytesLeft).toBe(0);
    decoder.receiveData(wire(`${post}ab`));
    decoder.nextEvent();
    expect(decoder.bodyBytesLeft).toBe(5);
    decoder.nextEvent();
    expect(decoder.bodyBytesLeft).toBe(3);
  });

  test('throws the same fault at every further call', () => {
    const decoder = new RequestDecoder();
    decoder.receiveData(wire('GET / HTTP/1.1\r\n\r\n'));
    const faults = [1, 2].map(() => caught(() => decoder.nextEvent()));
    expect(faults[0]).toBeInstanceOf(RemoteProtocolError);
    expect(faults[1]).toBe(faults[0]);
    expect(decoder.state).toBe(RequestState.Failed);
  });

  test('takes further data after a fault and ignores it', () => {
    const decoder = new RequestDecoder();
    decoder.receiveData(wire('0'));
    const fault = caught(() => decoder.nextEvent());
    decoder.receiveData(wire(get));
    decoder.receiveEof();
    expect(caught(() => decoder.nextEvent())).toBe(fault);
  });

  test('refuses strict together with lax', () => {
    expect(() => new RequestDecoder({ strict: true, lax: true })).toThrow(LocalProtocolError);
  });

  test.each([
    { maxHeadBytes: 0 },
    { maxHeadBytes: Infinity },
    { maxHeadBytes: NaN },
    { maxVariables: 1.5 },
    { maxVariables: -1 },
    { maxBodyBytes: -1 },
    { maxBodyBytes: NaN },
  ])('refuses the impossible limit %o', (options) => {
    expect(() => new RequestDecoder(options)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
  });

  test.each([{ maxBodyBytes: 0 }, { maxBodyBytes: Infinity }])('takes the limit %o', (options) => {
    expect(decode(new RequestDecoder(options), [wire(get)])).toEqual([{ head: getHead }, { end: true }]);
  });
});

describe('the end of input', () => {
  test('before any byte is no error and no request: the connection was not used', () => {
    const decoder = new RequestDecoder();
    expect(decode(decoder, [eof])).toEqual([]);
    expect(decoder.state).toBe(RequestState.Unused);
  });

  test('after the request changes nothing', () => {
    const decoder = fed(get);
    decoder.receiveEof();
    decoder.receiveEof();
    expect(decoder.nextEvent()).toBeNull();
    expect(decoder.state).toBe(RequestState.Done);
  });

  test('together with the last byte still delivers the whole request', () => {
    const decoder = new RequestDecoder();
    decoder.receiveData(wire(`${post}abcde`));
    decoder.receiveEof();
    expect([...pull(decoder)].map((event) => event.type)).toEqual(['head', 'body', 'end']);
  });

  test('forbids further data', () => {
    const decoder = new RequestDecoder();
    decoder.receiveEof();
    expect(() => decoder.receiveData(wire('2'))).toThrow(
      expect.objectContaining({ name: 'LocalProtocolError', code: 'ERR_SCGI_STATE' }),
    );
  });
});

describe('bytes after the request', () => {
  test('are no part of its body and no error', () => {
    expect(decodeEveryWay(() => new RequestDecoder(), wire(`${post}abcdeXYZ`))).toEqual([
      { head: postHead },
      { body: 'abcde' },
      { end: true },
    ]);
  });

  test('are handed over once, however they arrived', () => {
    const bytes = wire(`${get}frame`);
    for (let cut = 1; cut < bytes.length; cut++) {
      const decoder = new RequestDecoder();
      decode(decoder, [bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(text(decoder.takeTrailing() ?? wire(''))).toBe('frame');
      expect(decoder.takeTrailing()).toBeNull();
      expect(decoder.trailingBytes).toBe(5);
    }
  });

  test('are a view of the chunk when they came in one', () => {
    const bytes = wire(`${get}frame`);
    const decoder = new RequestDecoder();
    decode(decoder, [bytes]);
    expect(decoder.takeTrailing()?.buffer).toBe(bytes.buffer);
  });

  test('are null when there are none', () => {
    expect(fed(get).takeTrailing()).toBeNull();
    expect(fed('').takeTrailing()).toBeNull();
  });

  test('go on being kept after some were taken', () => {
    const decoder = fed(`${get}one`);
    expect(text(decoder.takeTrailing() ?? wire(''))).toBe('one');
    for (const byte of byteByByte(wire('two'))) decoder.receiveData(byte);
    expect(text(decoder.takeTrailing() ?? wire(''))).toBe('two');
  });

  test.each([
    ['in one chunk', 1],
    ['in 100 chunks', 100],
  ])('are kept up to 64 KiB and beyond that only counted, %s', (_, pieces) => {
    const decoder = fed(get);
    for (let piece = 0; piece < pieces; piece++) decoder.receiveData(new Uint8Array(100_000 / pieces));
    expect(decoder.trailingBytes).toBe(100_000);
    expect(decoder.takeTrailing()).toHaveLength(65_536);
  });
});

describe('the bodyLength rule', () => {
  const contradiction = netstring('CONTENT_LENGTH␀0␀SCGI␀1␀CONTENT_LENGTH␀5␀');

  test('decides about contradictory CONTENT_LENGTH variables', () => {
    const bodyLength = vi.fn(() => 5);
    const decoder = new RequestDecoder({ bodyLength });
    const [head, ...rest] = decode(decoder, [contradiction, wire('abcde')]);
    expect(head).toMatchObject({ head: { bodyLength: 5 } });
    expect(rest).toEqual([{ body: 'abcde' }, { end: true }]);
    expect(bodyLength).toHaveBeenCalledExactlyOnceWith(['CONTENT_LENGTH', '0', 'SCGI', '1', 'CONTENT_LENGTH', '5']);
  });

  test('is bound by maxBodyBytes', () => {
    const decoder = new RequestDecoder({ bodyLength: () => 11, maxBodyBytes: 10 });
    decoder.receiveData(wire(get));
    expect(() => decoder.nextEvent()).toThrow(expect.objectContaining({ code: 'ERR_SCGI_BODY_TOO_LARGE' }));
  });

  test('may refuse the request, which is then the fault that stays', () => {
    const refusal = new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH');
    const decoder = new RequestDecoder({
      bodyLength: () => {
        throw refusal;
      },
    });
    decoder.receiveData(wire(get));
    expect(caught(() => decoder.nextEvent())).toBe(refusal);
    expect(caught(() => decoder.nextEvent())).toBe(refusal);
  });

  test.each([-1, 0.5, NaN, Infinity])('must not return %d', (value) => {
    const decoder = new RequestDecoder({ bodyLength: () => value });
    decoder.receiveData(wire(get));
    expect(() => decoder.nextEvent()).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
  });

  test.each([
    ['a malformed CONTENT_LENGTH', 'CONTENT_LENGTH␀x␀SCGI␀1␀', {}],
    ['a missing CONTENT_LENGTH', 'SCGI␀1␀', {}],
    ['a strict decoder', 'CONTENT_LENGTH␀5␀SCGI␀1␀', { strict: true }],
    ['a missing CONTENT_LENGTH of a lax decoder', 'SCGI␀1␀', { lax: true }],
  ])('is not asked about %s', (_, payload, options) => {
    const bodyLength = vi.fn(() => 5);
    decode(new RequestDecoder({ ...options, bodyLength }), [netstring(payload)]);
    expect(bodyLength).not.toHaveBeenCalled();
  });
});

describe('a request in one-byte chunks', () => {
  test('has each byte of its head copied a bounded number of times', () => {
    const bytes = netstring(`CONTENT_LENGTH␀0␀SCGI␀1␀PADDING␀${'x'.repeat(100_000)}␀`);
    const copies = vi.spyOn(Uint8Array.prototype, 'set');
    const copied = (): number => copies.mock.calls.reduce((sum, [source]) => sum + source.length, 0);
    try {
      expect(decode(new RequestDecoder(), byteByByte(bytes))).toHaveLength(2);
      expect(copied()).toBeGreaterThanOrEqual(100_000);
      expect(copied()).toBeLessThan(3 * bytes.length);
    } finally {
      copies.mockRestore();
    }
  });

  test('has no byte of its body copied', () => {
    const copies = vi.spyOn(Uint8Array.prototype, 'set');
    try {
      const decoder = new RequestDecoder();
      decoder.receiveData(netstring('CONTENT_LENGTH␀10000␀SCGI␀1␀'));
      for (const byte of byteByByte(new Uint8Array(10_000))) decoder.receiveData(byte);
      expect([...pull(decoder)]).toHaveLength(10_002);
      expect(copies).not.toHaveBeenCalled();
    } finally {
      copies.mockRestore();
    }
  });
});

function* pull(decoder: RequestDecoder): Generator<RequestEvent> {
  for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) yield event;
}

function caught(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('expected it to throw');
}
