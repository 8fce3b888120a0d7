// The client's end of an upgraded connection: what it sends goes to the call, what comes back goes to it, each at the pace
// of the other side; each side may end before the other. Knows no protocol.

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Call } from '@scgi/client/exchange';
import type { ResponseHead } from '@scgi/core/protocol';

/** How much a client may send before the backend has agreed to the upgrade. As much is left unread in the kernel then. */
const MAX_EARLY_BYTES = 65_536;

/** One tunnel, or what would have become one. */
export class Tunnel {
  readonly #socket: Duplex;
  readonly #connection: Socket;
  readonly #lingerTimeout: number;
  #early: Uint8Array[];
  #earlyBytes: number;
  /** Of the request's own body, which comes before anything that belongs to the tunnel. */
  #bodyBytesLeft: number;
  #connected: boolean;
  #call: Call<ResponseHead> | undefined;
  #opened: boolean;
  #abandoned: boolean;
  #clientEnded: boolean;

  /**
   * @param connection what `socket` writes to, mostly itself
   * @param head what Node has read behind the head of the request
   * @param bodyLength of what of it, and of what follows, is the body of the request
   */
  constructor(socket: Duplex, connection: Socket, head: Uint8Array, bodyLength: number, lingerTimeout: number) {
    this.#socket = socket;
    this.#connection = connection;
    this.#lingerTimeout = lingerTimeout;
    this.#early = head.length > 0 ? [head] : [];
    this.#earlyBytes = head.length;
    this.#bodyBytesLeft = bodyLength;
    this.#connected = false;
    this.#call = undefined;
    this.#opened = false;
    this.#abandoned = false;
    this.#clientEnded = false;
  }

  /** The backend has agreed. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Sees to it that the call learns how the client fares. */
  watch(call: Call<ResponseHead>): void {
    this.#call = call;
    this.#socket.on('end', () => this.#clientEnd());
    this.#socket.on('drain', () => this.#call?.resume());
  }

  /** Reads the client from now on: only so is it seen when it ends its side. */
  read(): void {
    this.#socket.on('data', (chunk: Uint8Array) => this.#receive(chunk));
  }

  #receive(chunk: Uint8Array): void {
    if (this.#abandoned) return;
    if (this.#connected && (this.#opened || this.#bodyBytesLeft > 0)) {
      if (!this.#pass(chunk)) this.#socket.pause();
    } else {
      this.#hold(chunk);
    }
  }

  #hold(chunk: Uint8Array): void {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes >= MAX_EARLY_BYTES) this.#socket.pause();
  }

  /** Sends what the backend may have by now. False to ask for a pause. */
  #pass(chunk: Uint8Array): boolean {
    const call = this.#call;
    if (this.#opened || chunk.length <= this.#bodyBytesLeft) {
      this.#bodyBytesLeft -= Math.min(chunk.length, this.#bodyBytesLeft);
      return call?.write(chunk) !== false;
    }
    const more = this.#bodyBytesLeft === 0 || call?.write(chunk.subarray(0, this.#bodyBytesLeft)) !== false;
    this.#hold(chunk.subarray(this.#bodyBytesLeft));
    this.#bodyBytesLeft = 0;
    return more;
  }

  /** The backend takes the body of the request from now on. */
  connect(): void {
    this.#connected = true;
    this.#passEarly();
  }

  #passEarly(): void {
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    let more = true;
    for (const chunk of early) more = this.#pass(chunk);
    if (more && this.#earlyBytes < MAX_EARLY_BYTES) this.#socket.resume();
    else this.#socket.pause();
  }

  #clientEnd(): void {
    this.#clientEnded = true;
    if (this.#abandoned) return;
    if (this.#opened) {
      this.#call?.end();
    } else {
      // As Node's server does with a client that ends its side before it has an answer.
      this.#call?.destroy();
      this.#socket.destroy();
    }
  }

  /** @param head of the 101, in latin1 */
  open(head: string): void {
    const socket = this.#socket;
    this.#opened = true;
    socket.write(head, 'latin1');
    this.#passEarly();
    if (this.#clientEnded) this.#call?.end();
  }

  /** The backend takes more. */
  resumeClient(): void {
    if (this.#opened || this.#bodyBytesLeft > 0) this.#socket.resume();
  }

  /** Sends what the backend has sent. False to ask for a pause. */
  write(data: Uint8Array): boolean {
    return this.#socket.write(data);
  }

  /** There will be none: the client's bytes are dropped from here on. */
  abandon(): void {
    this.#abandoned = true;
    this.#early = [];
    this.#socket.resume();
  }

  /** The backend sends nothing more. What the client sends still goes to it, as long as something comes. */
  backendEnd(): void {
    this.#socket.end();
    this.#limit();
  }

  /** An ordinary answer is written: the client takes it and ends its side. */
  close(): void {
    this.#socket.end();
    this.#socket.resume();
    this.#limit();
  }

  /** A client that does not end its side either must not hold the backend's connection. */
  #limit(): void {
    if (this.#lingerTimeout > 0) this.#connection.setTimeout(this.#lingerTimeout, () => this.#socket.destroy());
  }

  /** The other side is gone: so that nothing looks whole that is not, this one goes too. */
  breakOff(): void {
    this.#socket.destroy();
  }
}
