// What a program writes to its standard error, on its way to the log: in lines, within bounds, and without anything that
// could pass for another line or command a terminal.

/** Longest line; a longer one is cut. */
const MAX_LINE_BYTES = 2048;
const LINE_FEED = 0x0a;

/** The standard error of one program. */
export class ErrorOutput {
  readonly #log: (line: string) => void;
  #bytesLeft: number;
  #bytesDropped: number;
  /** Of the line that is not complete yet: octets. */
  #line: string;
  #lineBytesDropped: number;

  /** @param maxBytes how much is logged in all; the rest is only counted */
  constructor(maxBytes: number, log: (line: string) => void) {
    this.#log = log;
    this.#bytesLeft = maxBytes;
    this.#bytesDropped = 0;
    this.#line = '';
    this.#lineBytesDropped = 0;
  }

  receive(chunk: Uint8Array): void {
    const taken = Math.min(chunk.length, this.#bytesLeft);
    this.#bytesLeft -= taken;
    this.#bytesDropped += chunk.length - taken;
    for (let start = 0; start < taken;) {
      const newline = chunk.indexOf(LINE_FEED, start);
      const isWhole = newline !== -1 && newline < taken;
      const end = isWhole ? newline : taken;
      this.#append(chunk.subarray(start, end));
      if (isWhole) this.#flush();
      start = end + 1;
    }
  }

  /** There will be no more. */
  end(): void {
    if (this.#line !== '' || this.#lineBytesDropped > 0) this.#flush();
    if (this.#bytesDropped > 0) this.#log(`… ${this.#bytesDropped} more bytes (maxErrorBytes)`);
    this.#bytesDropped = 0;
  }

  #append(piece: Uint8Array): void {
    const room = MAX_LINE_BYTES - this.#line.length;
    this.#line += Buffer.from(piece.buffer, piece.byteOffset, Math.min(piece.length, room)).toString('latin1');
    this.#lineBytesDropped += Math.max(0, piece.length - room);
  }

  #flush(): void {
    const text = escapeControls(Buffer.from(this.#line.replace(/\r$/, ''), 'latin1').toString());
    if (text !== '') this.#log(this.#lineBytesDropped > 0 ? `${text} … ${this.#lineBytesDropped} more bytes` : text);
    this.#line = '';
    this.#lineBytesDropped = 0;
  }
}

/** Controls, and what begins a line or turns the direction of writing (CVE-2021-42574): a log is read in terminals. */
export function escapeControls(text: string): string {
  return text.replace(
    /(?!\t)[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
