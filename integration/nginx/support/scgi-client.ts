// An SCGI client that does one thing at a time: sends a part, waits for a part of the answer, leaves. For whole
// requests there is rawRequest of @scgi/testing.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until, within } from '../../support/deadline.js';

const deadlineMs = 5_000;

/** A request head. CONTENT_LENGTH is first; the others override or follow those of a plain GET. */
export function scgiHead(variables: Readonly<Record<string, string>> = {}, bodyLength = 0): string {
  const plain = { SCGI: '1', REQUEST_METHOD: 'GET', REQUEST_URI: '/', SERVER_PROTOCOL: 'HTTP/1.1' };
  const all = { CONTENT_LENGTH: `${bodyLength}`, ...plain, ...variables };
  const payload = Object.entries(all).flat().join('\0') + '\0';
  return `${payload.length}:${payload},`;
}

export class ScgiClient {
  readonly socket: Socket;
  #received = '';
  readonly #ending: Promise<'fin' | 'reset'>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => (this.#received += text));
    this.#ending = new Promise((resolve) => {
      socket.once('end', () => resolve('fin')).once('error', () => resolve('reset'));
    });
  }

  /** Connects to `127.0.0.1:port` or `unix:/path`. */
  static async connect(address: string): Promise<ScgiClient> {
    const [host, port] = address.split(':');
    const target = host === 'unix' ? { path: `${port}` } : { port: Number(port) };
    const socket = connect({ ...target, allowHalfOpen: true });
    await within(once(socket, 'connect'), deadlineMs, 'the connection');
    return new ScgiClient(socket);
  }

  /** What has come so far, as latin1. */
  get received(): string {
    return this.#received;
  }

  send(bytes: string | Uint8Array): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /** Settles when the answer so far has that text. */
  async saw(text: string): Promise<void> {
    await until(
      () => this.#received.includes(text),
      deadlineMs,
      () => `"${text}" in ${this.#received.slice(0, 500)}`,
    );
  }

  /** How the server ends the connection. */
  async ending(ms = deadlineMs): Promise<'fin' | 'reset'> {
    return within(this.#ending, ms, 'the end of the connection');
  }
}
