// An answer that waits until its program has the input.

import { describe, expect, test } from 'vitest';
import { RemoteProtocolError } from '@scgi/core/protocol';
import type { ResponseHead } from '@scgi/core/protocol';
import { HeldOutput } from '../../src/runner/held-output.js';
import { RecordingSink } from '../support/recording-sink.js';

const head: ResponseHead = { status: 200, reason: 'OK', fields: [], kind: 'document', contentLength: undefined };
const mebibyte = 1024 * 1024;

function held(): { sink: RecordingSink; output: HeldOutput } {
  const sink = new RecordingSink();
  const output = new HeldOutput(sink);
  output.onHead(head);
  return { sink, output };
}

describe('a held answer', () => {
  test('goes out when it is released, and from then on as it comes', () => {
    const { sink, output } = held();
    expect(output.onBody(Buffer.from('one '))).toBe(true);
    expect(sink.heads).toEqual([]);
    expect(output.release()).toBe(true);
    expect(sink.heads).toEqual([head]);
    output.onBody(Buffer.from('two'));
    expect(sink.body).toBe('one two');
    expect(output.release()).toBe(true);
    expect(sink.heads).toHaveLength(1);
  });

  test('that is released before its head comes holds nothing', () => {
    const sink = new RecordingSink();
    const output = new HeldOutput(sink);
    output.release();
    output.onHead(head);
    expect(sink.heads).toEqual([head]);
  });

  test('goes out when it is whole', () => {
    const { sink, output } = held();
    output.onBody(Buffer.from('all'));
    output.onWhole();
    expect({ heads: sink.heads.length, body: sink.body, ended: sink.ended }).toEqual({
      heads: 1,
      body: 'all',
      ended: ['whole'],
    });
  });

  test('that fails is a fault and nothing else', () => {
    const { sink, output } = held();
    output.onBody(Buffer.from('half'));
    output.onFault(new RemoteProtocolError('ERR_SCGI_RESPONSE_TRUNCATED'));
    output.release();
    expect({ heads: sink.heads, body: sink.body, ended: sink.ended }).toEqual({
      heads: [],
      body: '',
      ended: ['ERR_SCGI_RESPONSE_TRUNCATED'],
    });
  });

  test('is held up to one mebibyte, and passes on what the sink says then', () => {
    const { sink, output } = held();
    sink.takesMore = false;
    expect(output.onBody(Buffer.alloc(mebibyte - 1))).toBe(true);
    expect(sink.bodyBytes).toBe(0);
    expect(output.onBody(Buffer.alloc(1))).toBe(false);
    expect(sink.bodyBytes).toBe(mebibyte);
  });

  test('asks for a pause if the sink does when it is released', () => {
    const { sink, output } = held();
    sink.takesMore = false;
    output.onBody(Buffer.from('one'));
    expect(output.release()).toBe(false);
  });
});
