// The end of a pipe that a program writes to. A socket of Node.js costs more than all else that a program's streams need, and
// most programs print little and end at once: what such a one has written is read in one go. There is a socket only where a
// program runs for some milliseconds, or leaves others behind.

import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { asSystemError } from './system-error.js';

/** How long at least, and twice as long at most, until what a program writes is read as it comes. */
const PATIENCE_MS = 5;
/** A pipe holds as much as the buffer; to find its end takes another read. Who still writes then is read as it comes. */
const MAX_READS = 2;
const buffer = Buffer.alloc(65_536);

// Made since the last stroke of the timer, and before it.
let young = new Set<DeferredPipe>();
let old = new Set<DeferredPipe>();
let timer: NodeJS.Timeout | undefined;

/** A stream of what is written to a pipe, until nobody has its other end open. */
export class DeferredPipe extends Readable {
  /** Until the socket has it, or it is closed. */
  #descriptor: number | undefined;
  #socket: Socket | undefined;

  /** @param descriptor to read from, not blocking; owned from now on */
  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
    this.#socket = undefined;
    young.add(this);
    timer ??= setTimeout(onStroke, PATIENCE_MS);
  }

  /** The program has ended. Unless others hold it open, all that will ever be written is in the pipe. */
  readRest(): void {
    for (let reads = 0; this.#descriptor !== undefined && reads < MAX_READS; reads++) {
      const length = readNow(this.#descriptor);
      if (length === undefined) break;
      if (length === 0) {
        this.#close();
        this.push(null);
      } else {
        this.push(Buffer.from(buffer.subarray(0, length)));
      }
    }
    this.attach();
  }

  /** From now on it is read as it comes. */
  attach(): void {
    const fd = this.#release();
    if (fd === undefined) return;
    let socket: Socket;
    try {
      socket = new Socket({ fd, readable: true, writable: false });
    } catch (error) {
      closeSync(fd);
      this.destroy(asSystemError(error));
      return;
    }
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#close();
    this.#socket?.destroy();
    callback(error);
  }

  #close(): void {
    const descriptor = this.#release();
    if (descriptor !== undefined) closeSync(descriptor);
  }

  #release(): number | undefined {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (!young.delete(this)) old.delete(this);
    return descriptor;
  }
}

/** How much is in the buffer now: 0 at the end, undefined where there may be more to come. */
function readNow(descriptor: number): number | undefined {
  try {
    return readSync(descriptor, buffer);
  } catch {
    return undefined; // EAGAIN: others hold the pipe. Whatever else it is, the socket will meet it too.
  }
}

function onStroke(): void {
  const pipes = old;
  old = young;
  young = new Set();
  timer = old.size === 0 ? undefined : setTimeout(onStroke, PATIENCE_MS);
  for (const pipe of pipes) pipe.attach();
}
