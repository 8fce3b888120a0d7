// The HTTP front under test and clients for it. Everything opened here is closed when the test ends.

import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  type Server,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ScgiError } from '@scgi/core';
import { onTestFinished } from 'vitest';
import { createHttpFront, type HttpFrontOptions } from '../../src/index.js';
import { until, within } from './within.js';

export interface Front {
  readonly server: Server;
  readonly port: number;
  /** What `onError` was told, unless the test has its own. */
  readonly errors: ScgiError[];
}

export async function startFront(to: string | number, options: Omit<HttpFrontOptions, 'to'> = {}): Promise<Front> {
  const errors: ScgiError[] = [];
  const server = createHttpFront({ onError: (error) => errors.push(error), ...options, to });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the front does not listen');
  return { server, port: address.port, errors };
}

/** Starts a request on a connection of its own; the caller ends it. */
export function open(front: Front, options: RequestOptions = {}): ClientRequest {
  const agent = new Agent({ keepAlive: false });
  const request = httpRequest({ host: '127.0.0.1', port: front.port, agent, ...options });
  request.on('error', () => {}); // Whoever cares listens as well.
  onTestFinished(() => void request.destroy());
  return request;
}

/** The head of the answer. */
export function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject);
  });
  return within('the head of the answer', response);
}

export interface Answer {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** One whole request and its whole answer. */
export async function fetchFrom(
  front: Front,
  path = '/',
  { body, ...options }: RequestOptions & { readonly body?: string | Uint8Array } = {},
): Promise<Answer> {
  const request = open(front, { path, ...options });
  request.end(body);
  const response = await responseTo(request);
  const bytes = await within('the body of the answer', buffer(response));
  const { statusCode: status, statusMessage: reason, headers, rawHeaders } = response;
  return { status, reason, headers, rawHeaders, body: bytes.toString('latin1') };
}

/** An HTTP client that shows the bytes. */
export class RawClient {
  readonly socket: Socket;
  text: string;
  /** A reset or a broken pipe, perhaps after the end of what the front sent. */
  error: Error | undefined;
  readonly #closed: Promise<'fin' | 'reset'>;

  constructor(front: Front) {
    this.socket = connect({ host: '127.0.0.1', port: front.port, allowHalfOpen: true });
    this.text = '';
    this.error = undefined;
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString('latin1');
      this.socket.emit('text');
    });
    this.#closed = new Promise((resolve) => {
      this.socket.on('error', (error) => {
        this.error = error;
        resolve('reset');
      });
      this.socket.on('end', () => resolve('fin'));
    });
    onTestFinished(() => void this.socket.destroy());
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until the answer holds this text. */
  async sees(text: string): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.text.includes(text)) resolve();
      };
      this.socket.on('text', look);
      look();
    });
    await within(JSON.stringify(text), seen).catch((error: Error) => {
      throw new Error(`${error.message}; received ${JSON.stringify(this.text.slice(0, 500))}`);
    });
  }

  /** Waits until the kernel has taken everything, or will not. */
  async flushed(): Promise<void> {
    await until('everything is sent', () => this.socket.writableLength === 0 || this.error !== undefined);
  }

  /** How the front ended the connection. */
  closed(): Promise<'fin' | 'reset'> {
    return within('the front to close', this.#closed);
  }
}

/** Sends bytes, waits for the end, returns what came. */
export async function sendRaw(front: Front, bytes: string): Promise<{ text: string; by: 'fin' | 'reset' }> {
  const client = new RawClient(front);
  client.send(bytes);
  const by = await client.closed();
  return { text: client.text, by };
}
