// Reads server-sent events one by one from a response that does not end.

import type { IncomingMessage } from 'node:http';
import { within } from '../../support/deadline.js';

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** The events of a response, in order, as they arrive. */
export class EventStream {
  readonly #events: ServerEvent[] = [];
  #text = '';
  #wake = (): void => {};

  constructor(response: IncomingMessage) {
    response.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
    response.on('error', () => {}); // The test breaks the connection, or reads on and sees that nothing comes.
  }

  /** The next event, or the next of that name: those before it are dropped. Rejects after `ms` milliseconds. */
  async next(name?: string, ms = 5_000): Promise<ServerEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined && (name === undefined || event.event === name)) return event;
      if (event === undefined) {
        const arrival = new Promise<void>((resolve) => (this.#wake = resolve));
        await within(arrival, ms, name === undefined ? 'an event' : `an event ${name}`);
      }
    }
  }

  #receive(text: string): void {
    const blocks = (this.#text + text).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event.data !== '') this.#events.push(event);
    }
    this.#wake();
  }
}

function parseEvent(block: string): ServerEvent {
  const lines = block.split('\n').map((line) => line.split(/: ?(.*)/s, 2));
  const field = (wanted: string): string | undefined => lines.find(([name]) => name === wanted)?.[1];
  return { event: field('event') ?? 'message', data: field('data') ?? '', id: field('id') ?? '' };
}
