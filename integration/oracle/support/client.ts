// A raw client for either wire: it can be slow, partial, silent or gone at any point.
// Sends exactly the bytes it is told to and reads until the connection ends.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Answer, Ending } from './answer.js';
import { within } from './deadline.js';
import type { PeerFacts, RequestPlan, Wire } from './wires.js';

export class RawClient {
  readonly socket: Socket;
  readonly #wire: Wire;
  readonly #plan: RequestPlan;
  readonly #peer: PeerFacts;
  readonly #chunks: Buffer[] = [];
  #received = 0;
  readonly #ending: Promise<Ending>;
  readonly #progress = new Set<() => void>();

  private constructor(socket: Socket, wire: Wire, plan: RequestPlan, serverPort: number) {
    this.socket = socket;
    this.#wire = wire;
    this.#plan = plan;
    this.#peer = { remoteAddress: socket.localAddress ?? '', remotePort: socket.localPort ?? 0, serverPort };
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#ending = new Promise((resolve) => {
      socket.once('end', () => resolve('fin'));
      socket.once('error', () => resolve('reset'));
      socket.once('close', () => resolve('reset'));
    });
  }

  /** Connects to a server on the loopback interface. */
  static async connect(port: number, wire: Wire, plan: RequestPlan): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    await within(once(socket, 'connect'), 'connect');
    return new RawClient(socket, wire, plan, port);
  }

  /** Sends the whole request in one write, as nginx does with a buffered body. */
  send(): void {
    this.socket.write(Buffer.concat([this.#head(), this.#wire.encodeBody(this.#plan)]));
  }

  /** Sends the request and the end of the stream at once: the client half-closes. */
  sendAndHalfClose(): void {
    this.socket.end(Buffer.concat([this.#head(), this.#wire.encodeBody(this.#plan)]));
  }

  sendHead(): void {
    this.socket.write(this.#head());
  }

  /** Sends the first bytes of the head only. */
  sendPartOfHead(bytes: number): void {
    this.socket.write(this.#head().subarray(0, bytes));
  }

  /** Sends the whole body, or octets `start` to `end` of it. */
  sendBody(start?: number, end?: number): void {
    this.socket.write(this.#wire.encodeBody(this.#plan).subarray(start, end));
  }

  /** Sends the request one byte per segment. */
  async sendByteByByte(): Promise<void> {
    const bytes = Buffer.concat([this.#head(), this.#wire.encodeBody(this.#plan)]);
    for (const byte of bytes) await new Promise((resolve) => this.socket.write(Buffer.of(byte), resolve));
  }

  /**
   * Leaves with a FIN, some turns of the event loop after what was sent last: an end of stream that comes together
   * with the request is a half-close, and client and server share the loop here.
   */
  async leave(): Promise<void> {
    await someTurns();
    this.socket.end();
  }

  /** Leaves with a RST, some turns later, and without the FIN that `resetAndDestroy()` sends in front of it. */
  async vanish(): Promise<void> {
    await someTurns();
    Reflect.set(this.socket, 'resetAndClosing', true);
    this.socket.destroy();
  }

  /** Resolves once at least `bytes` octets of the answer have arrived, head included. */
  async received(bytes: number): Promise<void> {
    await this.#when(() => this.#received >= bytes, `${bytes} bytes of the answer`);
  }

  /** Resolves once the head of the answer has arrived. */
  async headReceived(): Promise<void> {
    await this.#when(() => Buffer.concat(this.#chunks).includes('\r\n\r\n'), 'the head of the answer');
  }

  /** Resolves once `text` has arrived as part of the answer. */
  async sawText(text: string): Promise<void> {
    await this.#when(() => Buffer.concat(this.#chunks).includes(text), `"${text}" in the answer`);
  }

  /** Reads to the end of the connection and parses what came; then closes our side too. */
  async answer(): Promise<Answer> {
    const ending = await this.#end();
    if (ending === 'open') this.socket.destroy();
    else this.socket.end();
    return this.#wire.parseAnswer(Buffer.concat(this.#chunks), ending, this.#plan.method ?? 'GET');
  }

  /** Frees the socket, whatever state it is in. */
  dispose(): void {
    this.socket.destroy();
  }

  // `open` when neither the end nor a byte has come for as long as a wait may take: large bodies may take longer.
  async #end(): Promise<Ending> {
    for (;;) {
      const before = this.#received;
      const ending = await within(this.#ending, 'the end of the connection').catch((): Ending => 'open');
      if (ending !== 'open' || this.#received === before) return ending;
    }
  }

  #head(): Buffer {
    return this.#wire.encodeHead(this.#plan, this.#peer);
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#received += chunk.byteLength;
    for (const check of this.#progress) check();
  }

  async #when(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    const arrived = new Promise<void>((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#progress.delete(check);
        resolve();
      };
      this.#progress.add(check);
    });
    await within(arrived, what);
  }
}

async function someTurns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await setImmediate();
}
