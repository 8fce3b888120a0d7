// Servers, folders and clients for the lifecycle tests; whatever a test opens is closed when it ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { parseBind } from '../../src/lifecycle/bind.js';
import { listenUnix, type OwnedSocket } from '../../src/lifecycle/unix-socket.js';
import { ScgiError } from '../../src/protocol/errors.js';

export const isRoot = process.getuid?.() === 0;
export const isLinux = process.platform === 'linux';

/** sizeof(sun_path) - 1 */
export const maxPathBytes = isLinux ? 107 : 103;

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server that greets every client with `greeting` and hangs up. */
export function greeter(greeting = 'hello'): Server {
  const server = createServer((socket) => {
    socket.on('error', () => {}); // A client that only probes.
    socket.end(greeting);
  });
  onTestFinished(() => void server.close());
  return server;
}

/** What the server at this address says. Rejects as `connect` does. */
export async function greetingFrom(address: { path: string } | { host: string; port: number }): Promise<string> {
  const socket = connect(address);
  socket.setTimeout(3000, () => socket.destroy(new Error('the server did not answer')));
  return text(socket);
}

/** Listens as `unix:${text}` says. */
export async function openUnix(server: Server, text: string, signal?: AbortSignal): Promise<OwnedSocket> {
  const target = parseBind(`unix:${text}`);
  if (target.kind !== 'unix') throw new Error(`not a Unix socket: ${text}`);
  return listenUnix(server, target, signal);
}

/** The error of a call that must fail with one of ours. */
export async function failureOf(work: () => unknown): Promise<ScgiError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ScgiError) return error;
    throw error;
  }
  throw new Error('the call did not fail');
}
