// An SCGI backend that does what a test says, byte by byte if need be, and writes down what is done to it. A real
// server on a real socket; what comes is decoded by the decoder of the production server.

import type { Socket } from 'node:net';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { Deferred } from '../deadline.js';
import { defer, within } from '../deadline.js';
import type { MockBehaviour } from './behaviour.js';
import { scriptOf } from './behaviour.js';
import { MockConnection } from './connection.js';
import { fullListener } from './full-listener.js';
import type { MockListener, OnSocket } from './listener.js';
import { tcpListener, unixListener } from './listener.js';
import { play } from './play.js';
import { flattenScript } from './steps.js';

/** Options of `mockBackend`. */
export interface MockBackendOptions {
  /** Where to listen: a Unix socket in a temporary folder, or a port of 127.0.0.1. Default 'unix', on Windows 'tcp'. */
  readonly transport?: 'unix' | 'tcp' | undefined;
  /** For everything that a test waits for, milliseconds. Default 5,000. */
  readonly timeout?: number | undefined;
  /** Bytes of each request body to keep; what comes beyond is counted. Default 16,777,216. */
  readonly maxRecordedBody?: number | undefined;
}

/** A running mock backend. */
export interface MockBackend {
  /** For `new Backend(…)`, `scgi(…)`, `createHttpFront({ to })`. */
  readonly target: string;
  /** In the order of their acceptance. */
  readonly connections: readonly MockConnection[];
  /** Resolves with the connection of this number, from 0, when it is there. */
  connection(number?: number): Promise<MockConnection>;
  /** Opens a gate, for every connection that waits at it or will come to it. */
  openGate(name: string): void;
  /** Resolves when a connection waits at the gate. */
  atGate(name: string): Promise<void>;
  /** Listens after `refuse()`, `missing()`, `stopListening()` or `exit()`. */
  listen(): Promise<void>;
  /** Refuses new connections. Those that are open stay. */
  stopListening(): void;
  /** Dies: closes all connections, and refuses new ones. */
  exit(): void;
  /** Closes everything. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Gate {
  readonly reached: Deferred<void>;
  readonly open: Deferred<void>;
}

/**
 * Starts a backend that follows a script.
 *
 * @param behaviour a step or a list of steps for every connection; or `perConnection(…)`, `refuse()`, `missing()`,
 *   `neverAccept()`
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export async function mockBackend(behaviour: MockBehaviour, options: MockBackendOptions = {}): Promise<MockBackend> {
  const backend = new ScriptedBackend(behaviour, options);
  await backend.start();
  return backend;
}

class ScriptedBackend implements MockBackend {
  readonly connections: MockConnection[];
  readonly #behaviour: MockBehaviour;
  readonly #transport: 'unix' | 'tcp';
  readonly #timeout: number;
  readonly #maxRecordedBody: number;
  readonly #gates: Map<string, Gate>;
  readonly #expected: Map<number, Deferred<MockConnection>>;
  #listener: MockListener | undefined;
  #closing: Promise<void> | undefined;

  constructor(behaviour: MockBehaviour, options: MockBackendOptions) {
    this.connections = [];
    this.#behaviour = behaviour;
    this.#transport = resolveTransport(options.transport);
    this.#timeout = resolveCount('timeout', options.timeout, 5000);
    this.#maxRecordedBody = resolveCount('maxRecordedBody', options.maxRecordedBody, 16_777_216);
    this.#gates = new Map();
    this.#expected = new Map();
    this.#listener = undefined;
    this.#closing = undefined;
  }

  async start(): Promise<void> {
    const be = 'be' in this.#behaviour ? this.#behaviour.be : 'perConnection';
    if (be === 'full') {
      this.#listener = await fullListener(this.#transport);
      return;
    }
    const onSocket: OnSocket = (socket) => this.#accept(socket);
    this.#listener = await (this.#transport === 'tcp' ? tcpListener(onSocket) : unixListener(onSocket));
    if (be === 'perConnection') await this.#listener.listen();
    else if (be === 'refusing' || this.#transport === 'tcp') await this.#listener.refuse();
  }

  get target(): string {
    return this.#listener?.target ?? '';
  }

  // Fields, so that a test may take them out of the object.
  readonly connection = (number: number = 0): Promise<MockConnection> =>
    within(this.#expectation(number).promise, this.#timeout, () => {
      return `waited ${this.#timeout} ms for connection ${number} to the mock backend; ${this.connections.length} have come`;
    });

  readonly openGate = (name: string): void => this.#gate(name).open.resolve();

  readonly atGate = (name: string): Promise<void> =>
    within(this.#gate(name).reached.promise, this.#timeout, () => {
      return `waited ${this.#timeout} ms for a connection at the gate ${name}`;
    });

  readonly listen = async (): Promise<void> => this.#listener?.listen();

  readonly stopListening = (): void => this.#listener?.unlisten();

  readonly exit = (): void => {
    this.stopListening();
    for (const { socket } of this.connections) socket.destroy();
  };

  readonly close = (): Promise<void> => (this.#closing ??= this.#close());

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await this.#listener?.close();
  }

  #accept(socket: Socket): void {
    const number = this.connections.length;
    const settings = { timeout: this.#timeout, maxRecordedBody: this.#maxRecordedBody };
    const connection = new MockConnection(socket, number, settings);
    this.connections.push(connection);
    this.#expectation(number).resolve(connection);
    void play(flattenScript(scriptOf(this.#behaviour, number)), connection, {
      passGate: (name) => this.#passGate(name),
      exit: () => this.exit(),
    });
  }

  #passGate(name: string): Promise<void> {
    const gate = this.#gate(name);
    gate.reached.resolve();
    return gate.open.promise;
  }

  #gate(name: string): Gate {
    return getOrMake(this.#gates, name, () => ({ reached: defer(), open: defer() }));
  }

  #expectation(number: number): Deferred<MockConnection> {
    return getOrMake(this.#expected, number, () => defer());
  }
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function resolveTransport(transport: MockBackendOptions['transport']): 'unix' | 'tcp' {
  const chosen = transport ?? (process.platform === 'win32' ? 'tcp' : 'unix');
  if (chosen === 'unix' || chosen === 'tcp') return chosen;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'transport', value: String(chosen) });
}

function resolveCount(option: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option, value: String(value) });
}
