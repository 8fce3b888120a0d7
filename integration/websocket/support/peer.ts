// One end of a WebSocket with what a test asks of it: the next message, the close, each with a deadline.
// Knows nothing of SCGI or of front ends.

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { within } from '../../support/deadline.js';

/** How long one step may take, in milliseconds. */
export const stepMs = 10_000;

/** Text as a string, bytes as a Buffer. */
export type Message = string | Buffer;

/** How a WebSocket ended; 1006 is for one that broke off. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** Collects messages from its making on, so that none is missed that comes together with the 101. */
export class Peer {
  readonly socket: WebSocket;
  /** Settles with the close, whoever began it. */
  readonly closed: Promise<Ending>;
  readonly #unread: Message[] = [];
  #wake = (): void => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    socket.on('message', (data: Buffer, isBinary) => {
      this.#unread.push(isBinary ? data : data.toString());
      this.#wake();
    });
    // `opened` and `closed` tell of it.
    socket.on('error', () => {});
  }

  /** Waits for the handshake. Rejects with what stands against it. */
  async opened(): Promise<this> {
    await within(once(this.socket, 'open'), stepMs, 'the handshake');
    return this;
  }

  /** The next message that nobody has taken yet. */
  async next(): Promise<Message> {
    const arrived = new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#unread.length === 0) await within(arrived, stepMs, 'a message');
    const [first = ''] = this.#unread.splice(0, 1);
    return first;
  }

  /** Sends and waits for one message. */
  async ask(message: Message): Promise<Message> {
    this.socket.send(message);
    return this.next();
  }

  async ended(ms: number = stepMs): Promise<Ending> {
    return within(this.closed, ms, 'the close of the WebSocket');
  }
}

/** The response to a handshake that was refused, with its whole body. */
export async function refusal(socket: WebSocket): Promise<{ response: IncomingMessage; text: string }> {
  const [, response]: [unknown, IncomingMessage] = (await within(
    once(socket, 'unexpected-response'),
    stepMs,
    'a refusal',
  )) as [unknown, IncomingMessage];
  const text = Buffer.concat(await response.toArray()).toString();
  return { response, text };
}
