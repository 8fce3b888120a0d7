// Starts the backend on a Unix socket that only this user can open, and ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('backend.py', import.meta.url));

/** Resolves with the target for `scgi()`, and a function that ends the backend, once it listens. */
export async function startBackend() {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  const socket = join(folder, 'backend.sock');
  const child = spawn('python3', [script, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  await Promise.race([
    once(child.stdout, 'data'),
    ended.then(() => Promise.reject(new Error('the backend has ended'))),
  ]);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { target: `unix:${socket}`, stop };
}
