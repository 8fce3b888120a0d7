// An SCGI client for bad manners: raw sockets whose every byte and every end the test chooses.

import { connect, type Socket } from 'node:net';
import { within } from '../../support/deadline.js';

export const deadlineMs = 15_000;

/** A request netstring; `variables` override the usual ones, undefined removes one. */
export function head(variables: Readonly<Record<string, string | undefined>> = {}): string {
  const all: Record<string, string | undefined> = {
    CONTENT_LENGTH: '0',
    SCGI: '1',
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/',
    SERVER_PROTOCOL: 'HTTP/1.1',
    ...variables,
  };
  let payload = '';
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) payload += `${name}\0${value}\0`;
  }
  return `${payload.length}:${payload},`;
}

/** A connected socket. It keeps its side open when the server ends, and errors are no surprise to it. */
export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const connected = new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  await within(connected, deadlineMs, 'the connection');
  socket.on('error', () => {});
  return socket;
}

/** What the server sends until it ends or breaks off the connection; then the socket is closed. */
export function answerOf(socket: Socket, ms: number = deadlineMs): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (text += chunk));
  socket.on('end', () => socket.destroy());
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return within(closed, ms, 'the answer and its end');
}

/** Sends `bytes` and collects the answer. */
export async function ask(port: number, bytes: string | Uint8Array = head()): Promise<string> {
  const socket = await open(port);
  const answer = answerOf(socket);
  if (typeof bytes === 'string') socket.write(bytes, 'latin1');
  else socket.write(bytes);
  return answer;
}

export const greeting = 'Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** Does `work` for 0 … count - 1, so many at once. */
export async function inParallel(
  count: number,
  width: number,
  work: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
