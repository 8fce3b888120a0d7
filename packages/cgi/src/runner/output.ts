// Reads what a program prints: a CGI response. What each piece means goes to a sink, at the sink's pace.

import type { ResponseHead } from '@scgi/core/protocol';
import { ResponseDecoder } from '@scgi/core/protocol';

/** Hears of an answer. */
export interface OutputSink {
  onHead(head: ResponseHead): void;
  /** Returns false to ask for a pause. */
  onBody(data: Uint8Array): boolean;
  /** The answer is whole. */
  onWhole(): void;
  /** It is not, and cannot become so. */
  onFault(error: unknown): void;
}

/** Takes the bytes of one program. */
export interface ProgramOutput {
  /** Returns false if the sink asks for a pause. */
  receive(chunk: Uint8Array): boolean;
  /** There is no more. */
  end(): void;
}

/** How to read an answer. */
export interface OutputSettings {
  readonly maxHeadBytes: number;
  readonly maxLineBytes: number;
}

/** A response as RFC 3875 §6 has it. */
export class CgiOutput implements ProgramOutput {
  readonly #decoder: ResponseDecoder;
  readonly #sink: OutputSink;
  #over: boolean;

  constructor({ maxHeadBytes, maxLineBytes }: OutputSettings, method: string, sink: OutputSink) {
    this.#decoder = new ResponseDecoder({ requestMethod: method, maxHeadBytes, maxLineBytes });
    this.#sink = sink;
    this.#over = false;
  }

  receive(chunk: Uint8Array): boolean {
    // What follows a Content-Length is read to its end and dropped: the program must not block on it.
    if (this.#over) return true;
    this.#decoder.receiveData(chunk);
    return this.#dispatch();
  }

  end(): void {
    if (this.#over) return;
    this.#decoder.receiveEof();
    this.#dispatch();
  }

  #dispatch(): boolean {
    let more = true;
    try {
      for (let event = this.#decoder.nextEvent(); event !== null; event = this.#decoder.nextEvent()) {
        if (event.type === 'head') this.#sink.onHead(event.head);
        else if (event.type === 'body') more = this.#sink.onBody(event.data) && more;
        else this.#finish();
      }
    } catch (error) {
      this.#over = true;
      this.#sink.onFault(error);
    }
    return more;
  }

  #finish(): void {
    this.#over = true;
    this.#sink.onWhole();
  }
}
