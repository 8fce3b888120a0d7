// One request and its response, byte by byte, over whatever wire an origin speaks. Scenarios are written with it.

import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { until, within } from '../../support/deadline.js';
import { AnswerReader, type Ending, type Head, type Wire } from './answer-reader.js';
import { encodeHttpHead, encodeScgiHead } from './request-heads.js';
import { withResolvers } from './stage.js';

/** Where to send requests. */
export interface Origin {
  readonly wire: Wire;
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
}

export interface RequestParts {
  /** Default GET, or POST with a body. */
  readonly method?: string;
  /** Sent as written, as latin1. Default `/`. */
  readonly target?: string;
  /** Host is added unless it is here. Values are latin1. */
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
  /** Send the body in chunks, without its length. Over SCGI, which has no chunks, the length is known all the same. */
  readonly chunked?: boolean;
  /** What Content-Length says when more will be written than `body`. */
  readonly length?: number;
}

export interface Answer extends Partial<Head> {
  readonly interim: readonly number[];
  readonly body: Buffer;
  readonly ending: Ending;
}

const answerDeadlineMs = 10_000;

export class Exchange {
  readonly #socket: Socket;
  readonly #reader: AnswerReader;
  #changed = withResolvers();

  constructor({ wire, address }: Origin, parts: RequestParts) {
    const { method = parts.body === undefined ? 'GET' : 'POST', body = '' } = parts;
    const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
    this.#reader = new AnswerReader(wire, method);
    this.#socket = connect({ ...address, noDelay: true });
    this.#socket.on('data', (data: Buffer) => {
      this.#reader.receive(data);
      this.#wake();
    });
    this.#socket.on('end', () => this.#over('fin'));
    this.#socket.on('error', () => this.#over('reset'));
    const head = wire === 'http' ? encodeHttpHead(method, parts, bytes) : encodeScgiHead(method, parts, bytes);
    const framed = wire === 'http' && parts.chunked === true ? frame(bytes) : bytes;
    this.#socket.write(Buffer.concat([head, framed]));
  }

  get head(): Head | undefined {
    return this.#reader.head;
  }

  get interim(): readonly number[] {
    return this.#reader.interim;
  }

  get bodyLength(): number {
    return this.#reader.bodyLength;
  }

  /** More of the body. Resolves when the kernel has it; never rejects, since who answers early need not read on. */
  write(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** Whether the condition came true within `ms`. */
  async sees(condition: (seen: Exchange) => boolean, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!condition(this)) {
      const left = end - performance.now();
      if (left <= 0 || this.#reader.ending !== 'open') return false;
      await within(this.#changed.promise, left, 'a change').catch(() => {});
    }
    return true;
  }

  text(): string {
    return this.#reader.body.toString('latin1');
  }

  /** The response, once it has ended or `ms` have passed. Closes the connection. */
  async answer(ms: number = answerDeadlineMs): Promise<Answer> {
    await this.sees(() => this.#reader.ending !== 'open', ms);
    this.#socket.destroy();
    const { head, interim, body, ending } = this.#reader;
    return { ...head, interim, body, ending };
  }

  /** Reads a little at a time: what one turn brings, then nothing for `ms` milliseconds, until all is there. */
  async readSlowly(ms: number): Promise<Answer> {
    this.#socket.pause();
    await until(
      async () => {
        this.#socket.resume();
        await delay(1);
        this.#socket.pause();
        await delay(ms);
        return this.#reader.ending !== 'open' || this.#socket.readableEnded;
      },
      20_000,
      'the end of a response that is read slowly',
    );
    this.#socket.resume();
    return this.answer();
  }

  /** The client leaves: the connection is closed without another word. */
  leave(): void {
    this.#socket.destroy();
  }

  #over(how: 'fin' | 'reset'): void {
    this.#reader.end(how);
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = withResolvers();
    resolve();
  }
}

/** Two chunks and the end, so that a body in chunks is one in several. */
function frame(bytes: Buffer): Buffer {
  const middle = Math.ceil(bytes.length / 2);
  const parts = [bytes.subarray(0, middle), bytes.subarray(middle)].filter((part) => part.length > 0);
  const chunks = parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
}
