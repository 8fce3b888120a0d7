// A raw SCGI client for socket tests: writes the bytes it is given, collects what comes back, has a deadline.

import net from 'node:net';
import type { Socket } from 'node:net';

const DEADLINE_MS = 5000;

/** What the peer did with a connection. */
export interface Ending {
  readonly text: string;
  /** `fin`: closed in order; `reset`: broken off. */
  readonly by: 'fin' | 'reset';
}

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

/** Connects to `address` (what `server.address()` says); the socket is half-open and paused by nobody. */
export async function connect(address: ReturnType<net.Server['address']>): Promise<Socket> {
  if (address === null) throw new Error('the server does not listen');
  const target = typeof address === 'string' ? { path: address } : { port: address.port, host: address.address };
  const socket = net.connect({ ...target, allowHalfOpen: true });
  await within('connect', new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)));
  return socket;
}

/** Collects until the peer closes. Attach before anything can arrive. */
export function ending(socket: Socket): Promise<Ending> {
  return within(
    'the end of the connection',
    new Promise((resolve) => {
      let text = '';
      let by: Ending['by'] = 'fin';
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => (text += chunk));
      socket.on('error', () => (by = 'reset'));
      socket.on('end', () => socket.destroy());
      socket.on('close', () => resolve({ text, by }));
    }),
  );
}

/** Sends `bytes` whole and collects the answer. */
export async function exchange(address: ReturnType<net.Server['address']>, bytes: string): Promise<Ending> {
  const socket = await connect(address);
  const end = ending(socket);
  socket.write(bytes, 'latin1');
  return end;
}

/** Fails instead of waiting for ever. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${deadlineMs} ms for ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the event loop go round `count` times: server and client run in the same process, so what is sent arrives. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
