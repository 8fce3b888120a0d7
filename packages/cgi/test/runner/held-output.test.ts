// An answer that waits until its program has the input.

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RemoteProtocolError } from '@scgi/core/protocol';
import type { ResponseHead } from '@scgi/core/protocol';
import { HeldOutput } from '../../src/runner/held-output.js';
import { RecordingSink } from '../support/recording-sink.js';

const head: ResponseHead = { status: 200, reason: 'OK', fields: [], kind: 'document', contentLength: undefined };
const mebibyte = 1024 * 1024;

const nobody = (): void => {};

function held(): { sink: RecordingSink; output: HeldOutput } {
  const sink = new RecordingSink();
  const output = new HeldOutput(sink, () => 0, nobody);
  onTestFinished(() => output.drop());
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
    const output = new HeldOutput(sink, () => 0, nobody);
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

  test('is to be released when the program has waited for input for a second, and not before', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let idle = 0;
    const onIdle = vi.fn(() => {});
    const output = new HeldOutput(new RecordingSink(), () => idle, onIdle);
    output.onHead(head);
    vi.advanceTimersByTime(1000);
    idle = 400;
    vi.advanceTimersByTime(1000);
    expect(onIdle).not.toHaveBeenCalled();
    idle = 1000;
    vi.advanceTimersByTime(600);
    expect(onIdle).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that nobody wants leaves no timer', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const sink = new RecordingSink();
    const output = new HeldOutput(sink, () => 0, nobody);
    output.onHead(head);
    output.drop();
    expect(vi.getTimerCount()).toBe(0);
    expect(output.release()).toBe(true);
    expect(sink.heads).toEqual([]);
  });
});
