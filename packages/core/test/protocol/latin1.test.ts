import { describe, expect, test } from 'vitest';
import { bufferLatin1, latin1, portableLatin1 } from '../../src/protocol/latin1.js';

const everyOctet = Uint8Array.from({ length: 256 }, (_, octet) => octet);
const everyCharacter = String.fromCharCode(...everyOctet);

describe.each([
  ['the portable codec', portableLatin1],
  ['the codec over Buffer', bufferLatin1(Buffer)],
  ['the codec of this runtime', latin1],
])('%s', (_, codec) => {
  test('maps every octet to the character of the same number, and back', () => {
    expect(codec.decode(everyOctet, 0, 256)).toBe(everyCharacter);
    expect(Uint8Array.from(codec.encode(everyCharacter))).toEqual(everyOctet);
  });

  test('decodes the part that is asked for', () => {
    expect(codec.decode(everyOctet, 0x41, 0x44)).toBe('ABC');
    expect(codec.decode(everyOctet, 5, 5)).toBe('');
  });

  test('decodes a view, and a Buffer, at their own offsets', () => {
    expect(codec.decode(everyOctet.subarray(0x40), 1, 4)).toBe('ABC');
    expect(codec.decode(Buffer.from('xABC').subarray(1), 0, 3)).toBe('ABC');
  });

  test('takes more characters than fit on a stack', () => {
    const text = 'x'.repeat(1_000_000);
    expect(codec.decode(codec.encode(text), 0, text.length)).toBe(text);
  });
});
