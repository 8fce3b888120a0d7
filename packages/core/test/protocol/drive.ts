// Drives a decoder in tests: feeds it chunks as a connection would and writes down what it said.
// Wire bytes are written as text with ␀ for NUL, so that a test shows what is on the wire.

import { expect } from 'vitest';
import { RequestHead, ScgiError } from '../../src/protocol/index.js';

interface Decoder {
  receiveData(chunk: Uint8Array): void;
  receiveEof(): void;
  nextEvent(): { readonly type: string; readonly head?: object; readonly data?: Uint8Array } | null;
}

/** One entry per event, adjacent body events joined; a fault is the last entry. */
export type Transcript = (
  | { head: object }
  | { body: string }
  | { end: true }
  | { fault: string; details: object; statusHint: number }
)[];

export const eof = 'the peer closes its side';

/** The bytes of a text whose characters are octets; ␀ stands for NUL. */
export function wire(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll('␀', '\0'), (character) => {
    const octet = character.charCodeAt(0);
    if (octet > 0xff) throw new Error(`not an octet: ${character}`);
    return octet;
  });
}

/** The netstring of a text, ␀ for NUL. */
export function netstring(payload: string): Uint8Array {
  return wire(`${payload.length}:${payload},`);
}

export function text(bytes: Uint8Array): string {
  return Array.from(bytes, (octet) => String.fromCharCode(octet)).join('');
}

/** Feeds the decoder and pulls it dry after every step; stops at the first fault. */
export function decode(decoder: Decoder, steps: Iterable<Uint8Array | typeof eof>): Transcript {
  const transcript: Transcript = [];
  try {
    for (const step of steps) {
      if (step === eof) decoder.receiveEof();
      else decoder.receiveData(step);
      pull(decoder, transcript);
    }
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    transcript.push({ fault: error.code, details: error.details, statusHint: error.statusHint });
  }
  return transcript;
}

/** A head without how it is kept: a RequestHead cuts its text up when asked. */
function said(head: object): object {
  if (!(head instanceof RequestHead)) return head;
  const { variables, bodyLength, bytes } = head;
  return { variables, bodyLength, bytes };
}

function pull(decoder: Decoder, transcript: Transcript): void {
  for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
    if (event.head !== undefined) transcript.push({ head: said(event.head) });
    else if (event.data === undefined) transcript.push({ end: true });
    else appendBody(transcript, event.data);
  }
}

function appendBody(transcript: Transcript, data: Uint8Array): void {
  if (data.length === 0) throw new Error('a body event was empty');
  const last = transcript.at(-1);
  if (last !== undefined && 'body' in last) last.body += text(data);
  else transcript.push({ body: text(data) });
}

export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}

/** Decodes whole, byte by byte and cut in two at every place; all must say the same, which is returned. */
export function decodeEveryWay(
  create: () => Decoder,
  bytes: Uint8Array,
  ending: readonly (typeof eof)[] = [],
): Transcript {
  const whole = decode(create(), [bytes, ...ending]);
  const expected = JSON.stringify(whole);
  const check = (chunks: Uint8Array[], how: string): void =>
    expect(JSON.stringify(decode(create(), [...chunks, ...ending])), how).toBe(expected);
  check(byteByByte(bytes), 'byte by byte');
  for (let cut = 1; cut < bytes.length; cut++) {
    check([bytes.subarray(0, cut), bytes.subarray(cut)], `cut at ${cut}`);
  }
  return whole;
}

/** The code of the fault that ended a transcript. */
export function faultOf(transcript: Transcript): string | undefined {
  const last = transcript.at(-1);
  return last !== undefined && 'fault' in last ? last.fault : undefined;
}
