// The standard input of a function that stands in for a program: a Readable of exactly the request's body. Knows no request:
// what is written to its source comes out.

import { Readable, Writable } from 'node:stream';

export class ProgramStdin extends Readable {
  /** The other end. It closes when nobody wants what is written any more. */
  readonly source: Writable;
  #onWanted: (() => void) | undefined;

  constructor() {
    super();
    this.#onWanted = undefined;
    this.source = new Writable({
      write: (chunk, _encoding, done) => {
        if (this.push(chunk)) done();
        else this.#onWanted = done;
      },
      final: (done) => {
        this.push(null);
        done();
      },
    });
    // Whoever listens hears of an end that came too early; nobody has to.
    this.on('error', ignore);
    this.source.on('error', ignore);
  }

  /** Whether somebody waits for what comes: reads by events, by a pipe or by iteration. */
  get hasReader(): boolean {
    return ['data', 'readable', 'end'].some((event) => this.listenerCount(event) > 0);
  }

  override _read(): void {
    const onWanted = this.#onWanted;
    this.#onWanted = undefined;
    onWanted?.();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.source.destroy();
    done(error);
  }
}

function ignore(): void {}
