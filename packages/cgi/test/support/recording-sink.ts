// Hears of an answer and keeps all of it.

import type { ResponseHead } from '@scgi/core/protocol';
import { ScgiError } from '@scgi/core/protocol';
import type { OutputSink } from '../../src/runner/output.js';

export class RecordingSink implements OutputSink {
  readonly heads: ResponseHead[] = [];
  readonly errors: unknown[] = [];
  /** What `onBody` returns. */
  takesMore: boolean = true;
  /** 'whole', or the code of a fault. */
  readonly ended: string[] = [];
  readonly #chunks: Buffer[] = [];
  #watch: () => void = () => {};

  get body(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  get bodyBytes(): number {
    return this.#chunks.reduce((sum, { length }) => sum + length, 0);
  }

  /** Resolves when the answer has ended, either way. */
  async end(): Promise<void> {
    while (this.ended.length === 0) await new Promise<void>((resolve) => (this.#watch = resolve));
  }

  onHead(head: ResponseHead): void {
    this.heads.push(head);
  }

  onBody(data: Uint8Array): boolean {
    this.#chunks.push(Buffer.from(data));
    return this.takesMore;
  }

  onWhole(): void {
    this.ended.push('whole');
    this.#watch();
  }

  onFault(error: unknown): void {
    this.errors.push(error);
    this.ended.push(error instanceof ScgiError ? error.code : String(error));
    this.#watch();
  }
}
