// SCGI backends for tests, written byte by byte: what a test does with the socket is what the gateway sees.
// Everything opened here is closed when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestDecoder } from '@scgi/core/protocol';
import { onTestFinished } from 'vitest';
import { within } from './within.js';

/** One connection of the gateway, decoded as far as it has come. */
export class BackendConnection {
  readonly socket: Socket;
  /** By name; set when the head has come. */
  variables: Map<string, string> | undefined;
  /** Flat, in wire order. */
  flat: readonly string[];
  bodyBytes: number;
  readonly #body: Buffer[];
  readonly #complete: Promise<Buffer>;
  readonly #closed: Promise<'fin' | 'reset'>;

  constructor(socket: Socket, readBody: boolean) {
    this.socket = socket;
    this.variables = undefined;
    this.flat = [];
    this.bodyBytes = 0;
    this.#body = [];
    const decoder = new RequestDecoder();
    this.#complete = new Promise((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        decoder.receiveData(chunk);
        for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
          if (event.type === 'head') this.#takeHead(event.head.variables, readBody);
          else if (event.type === 'body') this.#takeBody(event.data);
          else resolve(Buffer.concat(this.#body));
        }
      });
    });
    this.#closed = new Promise((resolve) => {
      let by: 'fin' | 'reset' = 'fin';
      // Writes to a gateway that has left fail; that is what some tests are about.
      socket.on('error', () => (by = 'reset'));
      socket.on('end', () => resolve('fin'));
      socket.on('close', () => resolve(by));
    });
  }

  #takeHead(flat: readonly string[], readBody: boolean): void {
    this.flat = flat;
    this.variables = new Map();
    for (let index = 0; index < flat.length; index += 2) this.variables.set(flat[index] ?? '', flat[index + 1] ?? '');
    if (!readBody) this.socket.pause();
  }

  #takeBody(data: Uint8Array): void {
    this.bodyBytes += data.length;
    this.#body.push(Buffer.from(data));
  }

  /** The body, once the request is complete. */
  body(): Promise<Buffer> {
    return within('the whole request', this.#complete);
  }

  /** How the gateway ended its side. */
  closed(deadlineMs?: number): Promise<'fin' | 'reset'> {
    return within('the gateway to close', this.#closed, deadlineMs);
  }

  /** Answers when the request is complete, and closes in order. */
  async answer(...pieces: (string | Uint8Array)[]): Promise<void> {
    await this.body();
    for (const piece of pieces) this.socket.write(piece, 'latin1');
    this.socket.end();
  }
}

export interface Backend {
  /** For `createHttpFront({ to })`. */
  readonly target: string;
  readonly server: Server;
  readonly connections: BackendConnection[];
  /** The connection with this number, when it is there. */
  connection(number?: number): Promise<BackendConnection>;
}

export interface BackendOptions {
  /** Listen on TCP, where a connection can be reset. Default: a Unix socket. */
  readonly tcp?: boolean;
  /** Read the body as it comes. Default true. */
  readonly readBody?: boolean;
}

/** Starts a backend; `serve` gets every connection and may close it at any time. */
export async function startBackend(
  serve: (connection: BackendConnection) => unknown = () => {},
  { tcp = false, readBody = true }: BackendOptions = {},
): Promise<Backend> {
  const connections: BackendConnection[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new BackendConnection(socket, readBody);
    connections.push(connection);
    server.emit('served');
    // A test that is over leaves promises behind which nobody waits for.
    Promise.resolve(serve(connection)).catch(() => socket.destroy());
  });
  const target = await listen(server, tcp);
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  const connection = async (number = 0): Promise<BackendConnection> => {
    await within(
      `connection ${number} of the gateway`,
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (connections[number] !== undefined) resolve();
        };
        server.on('served', look);
        look();
      }),
    );
    const found = connections[number];
    if (found === undefined) throw new Error('no such connection');
    return found;
  };
  return { target, server, connections, connection };
}

/** A backend that gives every request the same answer. */
export function answering(...pieces: (string | Uint8Array)[]): Promise<Backend> {
  return startBackend((connection) => connection.answer(...pieces));
}

function listen(server: Server, tcp: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (tcp) {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '');
      });
    } else {
      const path = join(temporaryFolder(), 'backend.sock');
      server.listen(path, () => resolve(`unix:${path}`));
    }
  });
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-gateway-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A backend that answers with the variables of these names, as JSON. */
export function telling(...names: string[]): Promise<Backend> {
  return startBackend(async (connection) => {
    await connection.body();
    const told = names.map((name) => connection.variables?.get(name) ?? null);
    await connection.answer(`Status: 200 OK\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(told)}`);
  });
}
