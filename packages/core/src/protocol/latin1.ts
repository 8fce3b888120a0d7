// Latin-1 text ⇄ bytes: one character per octet, the convention of Node's own header strings.
// TextDecoder('latin1') is windows-1252 (WHATWG Encoding §4.2) and loses 0x80–0x9F, so it cannot be used here.
// Knows nothing of what the text means.

/** Converts between octets and strings whose characters are all U+0000–U+00FF. */
export interface Latin1Codec {
  /** The octets from `start` up to `end` as characters. */
  decode(bytes: Uint8Array, start: number, end: number): string;
  /** One octet per character; characters above U+00FF lose their high byte, so callers check first. */
  encode(text: string): Uint8Array;
}

// Arguments to one fromCharCode call go on the stack: 8,192 of them are safe in every engine.
const charactersPerCall = 8192;

/** Needs nothing but the language: for runtimes without `Buffer`. */
export const portableLatin1: Latin1Codec = {
  decode(bytes, start, end) {
    let text = '';
    for (let from = start; from < end; from += charactersPerCall) {
      text += String.fromCharCode(...bytes.subarray(from, Math.min(from + charactersPerCall, end)));
    }
    return text;
  },
  encode(text) {
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return bytes;
  },
};

/** Uses the native routines of Node's `Buffer`, several times faster than the portable loop. */
export function bufferLatin1(buffer: BufferConstructor): Latin1Codec {
  return {
    decode(bytes, start, end) {
      // toString() works on Buffers only; a foreign Uint8Array gets a Buffer over the same memory.
      const source = bytes instanceof buffer ? bytes : buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return source.toString('latin1', start, end);
    },
    encode: (text) => buffer.from(text, 'latin1'),
  };
}

/** The fastest codec of this runtime. */
export const latin1: Latin1Codec =
  typeof globalThis.Buffer === 'function' ? bufferLatin1(globalThis.Buffer) : portableLatin1;
