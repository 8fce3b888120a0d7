// Requests recorded from nginx, Apache and lighttpd, decoded in every way they could have arrived.

import { describe, expect, test } from 'vitest';
import { RequestDecoder } from '../../src/protocol/index.js';
import { loadCaptures } from '../support/captures.js';
import { byteByByte, decode, text } from './drive.js';

/** The decoded request and what was left over, as one string that is cheap to compare. */
function outcome(chunks: Uint8Array[]): string {
  const decoder = new RequestDecoder();
  const transcript = decode(decoder, chunks);
  return JSON.stringify([transcript, decoder.state, decoder.bodyBytesLeft, decoder.trailingBytes]);
}

describe.each(loadCaptures())('the recording $name', ({ bytes }) => {
  test('is decoded alike however it arrives', () => {
    const whole = outcome([bytes]);
    expect(outcome(byteByByte(bytes))).toBe(whole);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(outcome([bytes.subarray(0, cut), bytes.subarray(cut)]), `cut at ${cut}`).toBe(whole);
    }
  });

  test('is decoded to the variables on the wire', () => {
    const [first, ...rest] = decode(new RequestDecoder(), [bytes]);
    const wireText = text(bytes);
    const payloadStart = wireText.indexOf(':') + 1;
    const payloadLength = Number(wireText.slice(0, payloadStart - 1));
    const variables = wireText
      .slice(payloadStart, payloadStart + payloadLength)
      .split('\0')
      .slice(0, -1);
    const bodyLength = Number(variables[variables.indexOf('CONTENT_LENGTH') + 1]);
    expect(first).toEqual({ head: { variables, bodyLength, bytes: payloadLength } });
    // A recording may hold only the beginning of a long body, or more than nginx announced with buffering off.
    const body = wireText.slice(payloadStart + payloadLength + 1).slice(0, bodyLength);
    const expected = body.length < bodyLength ? [{ body }] : body === '' ? [{ end: true }] : [{ body }, { end: true }];
    expect(rest).toEqual(expected);
  });
});
