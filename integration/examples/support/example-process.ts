// An example as its README starts it: `node server.js` with SCGI_BIND, in a process of its own. Stops it, too.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from '../../support/deadline.js';

export interface ExampleProcess {
  /** As `scgi_pass` wants it. */
  readonly address: string;
  /** What it has printed so far, to both streams. */
  output(): string;
  /** SIGTERM; resolves with the exit code when it has ended, or rejects after ten seconds. May be called again. */
  stop(): Promise<number | null>;
}

/** Starts `examples/<name>/server.js` on a Unix socket of its own and waits until it says that it listens. */
export async function startExample(name: string): Promise<ExampleProcess> {
  const folder = mkdtempSync(join(tmpdir(), `scgi-${name}-`));
  const address = `unix:${join(folder, 'app.sock')}`;
  const child = spawn(process.execPath, ['server.js'], {
    cwd: fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)),
    env: { ...process.env, SCGI_BIND: address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const listening = new Promise<void>((resolve) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('SCGI: listening on ')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  const failed = exited.then((code) => Promise.reject(new Error(`${name} ended with ${code}:\n${output}`)));
  failed.catch(() => {}); // It ends some day, after it has listened.
  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    try {
      return await within(exited, 10_000, `the end of ${name}`);
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  };
  try {
    await within(Promise.race([listening, failed]), 15_000, `${name} listening`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, output: () => output, stop };
}
