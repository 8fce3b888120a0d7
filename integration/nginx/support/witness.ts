// Writes down what a handler gets to hear about one request and its response.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { within } from '../../support/deadline.js';

/** The events of one exchange, in order. */
export class Witness {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** `request end`, `response close`, `request error ECONNRESET` … */
  readonly events: string[] = [];
  readonly #closed: Promise<unknown>;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request;
    this.response = response;
    for (const name of ['aborted', 'end', 'close'] as const)
      request.on(name, () => this.events.push(`request ${name}`));
    for (const name of ['finish', 'close'] as const) response.on(name, () => this.events.push(`response ${name}`));
    request.on('error', (error) => this.events.push(`request error ${codeOf(error)}`));
    response.on('error', (error) => this.events.push(`response error ${codeOf(error)}`));
    this.#closed = Promise.all([
      new Promise<void>((resolve) => request.once('close', resolve)),
      new Promise<void>((resolve) => response.once('close', resolve)),
    ]);
  }

  /** Settles when both are closed; rejects if they are not within `ms` milliseconds. */
  async closed(ms: number): Promise<void> {
    await within(this.#closed, ms, 'the close of request and response');
  }
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
