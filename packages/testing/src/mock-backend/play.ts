// Does with one connection what its script says. Steps are plain data; the socket is the connection's.

import { setTimeout as delay } from 'node:timers/promises';
import type { MockConnection } from './connection.js';
import type { Break, Step } from './steps.js';

/** What a script needs of its backend. */
export interface Stage {
  /** Resolves when the test has opened the gate. */
  passGate(name: string): Promise<void>;
  /** The process dies, so to speak. */
  exit(): void;
}

/** Where the answer is to break off, and how. */
interface BreakPoint {
  readonly bytes: number;
  readonly by: Break;
}

/** Plays a script to its end; after it the connection is read until the client leaves. */
export async function play(steps: readonly Step[], connection: MockConnection, stage: Stage): Promise<void> {
  const player = new Player(connection, stage);
  for (const step of steps) {
    if (connection.gone || !(await player.perform(step))) return;
    if (connection.fault !== undefined) break;
  }
  await player.readOut();
}

/** One script on one connection. */
class Player {
  readonly #connection: MockConnection;
  readonly #stage: Stage;
  #breakPoint: BreakPoint;

  constructor(connection: MockConnection, stage: Stage) {
    this.#connection = connection;
    this.#stage = stage;
    this.#breakPoint = { bytes: Infinity, by: 'end' };
  }

  /** Returns false if the script is over with this step. */
  async perform(step: Step): Promise<boolean> {
    const connection = this.#connection;
    switch (step.do) {
      case 'receive':
        await connection.read(() => (step.until === 'head' ? connection.variables.length > 0 : connection.complete));
        if (connection.complete) connection.watch();
        return true;
      case 'receiveBody':
        await connection.read(() => connection.bodyBytes >= step.bytes || connection.complete);
        return true;
      case 'readSlowly':
        await this.#readSlowly(step.bytes, step.everyMs);
        return true;
      case 'send':
        for (let round = 0; round < step.times; round += 1) if (!(await this.#send(step.bytes))) return false;
        return true;
      case 'drip':
        for (let start = 0; start < step.bytes.length; start += step.atATime) {
          if (!(await this.#send(step.bytes.subarray(start, start + step.atATime)))) return false;
          await connection.unlessGone(delay(step.everyMs));
        }
        return true;
      case 'breakAt':
        this.#breakPoint = step;
        return true;
      case 'gate':
        await connection.unlessGone(this.#stage.passGate(step.name));
        return true;
      default:
        await this.#endBy(step.do);
        return false;
    }
  }

  async #endBy(way: Break | 'stallDeaf' | 'close' | 'exit'): Promise<void> {
    const { socket } = this.#connection;
    switch (way) {
      case 'stall':
        return this.readOut();
      case 'end':
        socket.end();
        return this.readOut();
      case 'reset':
        // Before `remoteAddress` is undefined for other reasons: only TCP sockets have one, and only they can be reset.
        if (socket.remoteAddress === undefined) socket.destroy();
        else socket.resetAndDestroy();
        return;
      case 'close':
        socket.destroy();
        return;
      case 'exit':
        this.#stage.exit();
        return;
      case 'stallDeaf':
        return;
    }
  }

  /** Reads on until the client has ended its side, then ends ours. */
  async readOut(): Promise<void> {
    const connection = this.#connection;
    connection.watch();
    await connection.left();
    connection.socket.end();
  }

  /** Returns false if the answer was to break off here, and did. */
  async #send(bytes: Uint8Array): Promise<boolean> {
    const connection = this.#connection;
    const room = this.#breakPoint.bytes - connection.bytesSent;
    await connection.write(room < bytes.length ? bytes.subarray(0, Math.max(room, 0)) : bytes);
    if (connection.gone) return false;
    if (bytes.length < room) return true;
    await this.#endBy(this.#breakPoint.by);
    return false;
  }

  async #readSlowly(bytes: number, everyMs: number): Promise<void> {
    const connection = this.#connection;
    let allowed = bytes;
    const allowMore = setInterval(() => {
      allowed = connection.bytesReceived + bytes;
      connection.readOn();
    }, everyMs);
    try {
      await connection.read(
        () => connection.complete,
        () => allowed - connection.bytesReceived,
      );
    } finally {
      clearInterval(allowMore);
    }
    connection.watch();
  }
}
