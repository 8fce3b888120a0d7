// A Gemini client: sends the bytes it is given, reports the bytes that come back, and how the connection ended.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { within } from './within.js';

export const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');

/** Of the client in the fixtures. */
export const clientFingerprint = '2c42e9a64b2e5a4a9b29ab6c02a5671820324eac7d576df9762f5eb54c2a2112';
export const clientIdentity = { key: fixture('client-key.pem'), cert: fixture('client.pem') };

export interface Answer {
  readonly header: string;
  readonly body: Buffer;
  readonly text: string;
}

/** The types leave this one out. */
const halfOpen = { allowHalfOpen: true };

/** Opens a connection; closed when the test ends. */
export async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...halfOpen, ...options });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await within('the handshake', once(socket, 'secureConnect'));
  return socket;
}

/** Everything until the end. */
export async function readAll(socket: TLSSocket, onBody: () => void = () => {}): Promise<Answer> {
  const chunks: Buffer[] = [];
  let began = false;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (began) return;
    began = toAnswer(Buffer.concat(chunks)).body.length > 0;
    if (began) onBody();
  });
  await within('the end of the response', new Promise((resolve) => socket.once('end', resolve).once('close', resolve)));
  return toAnswer(Buffer.concat(chunks));
}

function toAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n');
  const body = end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 2);
  return { header: bytes.toString('utf8', 0, end === -1 ? bytes.length : end), body, text: body.toString('utf8') };
}

/** Asks for a path, or for a whole URL; or sends pieces of bytes as they are. */
export async function ask(
  port: number,
  request: string | readonly (string | Uint8Array)[],
  options: ConnectionOptions = {},
  onBody?: () => void,
): Promise<Answer> {
  const socket = await open(port, options);
  const answer = readAll(socket, onBody);
  for (const piece of typeof request === 'string' ? [requestLine(port, request)] : request) {
    if (socket.destroyed) break;
    await new Promise((resolve) => socket.write(piece, resolve));
  }
  const whole = await answer;
  socket.end();
  return whole;
}

export function requestLine(port: number, pathOrUrl: string): string {
  return `${pathOrUrl.startsWith('/') ? `gemini://localhost:${port}${pathOrUrl}` : pathOrUrl}\r\n`;
}

/** What TLS 1.2 shows from outside: its last record is an alert, close_notify, or the connection was broken off. */
export type Ending = 'close_notify' | 'truncated';

/** As `ask`, over a wire that is looked at. `onBody` is called when the first bytes of the body have come. */
export async function askOverWire(
  port: number,
  path: string,
  onBody?: () => void,
): Promise<Answer & { readonly ending: Ending }> {
  const records: number[] = [];
  const wire = createServer((near) => {
    const far = connectTcp(port, '127.0.0.1');
    const reader = new RecordTypes(records);
    near.pipe(far);
    far.on('data', (chunk: Buffer) => {
      reader.take(chunk);
      near.write(chunk);
    });
    far.on('end', () => near.end());
    far.on('error', () => near.destroy());
    near.on('error', () => far.destroy());
  });
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  onTestFinished(() => void wire.close());
  const address: AddressInfo | string | null = wire.address();
  const wirePort = typeof address === 'object' && address !== null ? address.port : 0;
  const url = `gemini://localhost:${port}${path}\r\n`;
  const answer = await ask(wirePort, [url], { maxVersion: 'TLSv1.2' }, onBody);
  return { ...answer, ending: records.at(-1) === alertRecord ? 'close_notify' : 'truncated' };
}

const alertRecord = 21;

/** RFC 5246 §6.2.1: one byte of type, two of version, two of length. */
class RecordTypes {
  readonly #types: number[];
  #rest: Buffer = Buffer.alloc(0);

  constructor(types: number[]) {
    this.#types = types;
  }

  take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 5) {
      const length = this.#rest.readUInt16BE(3) + 5;
      if (this.#rest.length < length) return;
      this.#types.push(this.#rest.readUInt8(0));
      this.#rest = this.#rest.subarray(length);
    }
  }
}
