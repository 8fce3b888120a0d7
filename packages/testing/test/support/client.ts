// A mock backend for one test, and a client that keeps what it gets of it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BackendTarget } from '@scgi/client/exchange';
import { BackendSocket, parseTarget } from '@scgi/client/exchange';
import { encodeRequest } from '@scgi/core/protocol';
import { onTestFinished } from 'vitest';
import { mockBackend, type MockBackend, type MockBackendOptions, type MockBehaviour } from '../../src/index.js';

export async function start(behaviour: MockBehaviour, options?: MockBackendOptions): Promise<MockBackend> {
  const backend = await mockBackend(behaviour, options);
  onTestFinished(() => backend.close());
  return backend;
}

/** A client that keeps what it gets. */
export class Client {
  readonly socket: BackendSocket;
  received: string;
  /** `connect` is refused with its code; else how the answer ended. */
  readonly over: Promise<string>;
  #changed: () => void;

  constructor(target: BackendTarget) {
    this.received = '';
    this.#changed = () => {};
    this.socket = new BackendSocket((bytes) => {
      this.received += Buffer.from(bytes).toString('latin1');
      this.#changed();
    });
    onTestFinished(() => void this.socket.destroy());
    this.over = new Promise((resolve) => {
      this.socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      this.socket.on('end', () => resolve('end'));
    });
    this.socket.connect(parseTarget(target).connect);
  }

  /** Sends a request whose head promises `length` bytes. */
  send(body = '', length = body.length): this {
    this.socket.write(Buffer.concat([encodeRequest(['REQUEST_METHOD', 'POST', 'A', 'b'], length), Buffer.from(body)]));
    return this;
  }

  async until(length: number): Promise<string> {
    while (this.received.length < length) await new Promise<void>((resolve) => (this.#changed = resolve));
    return this.received;
  }
}

export async function turns(count = 50): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}
