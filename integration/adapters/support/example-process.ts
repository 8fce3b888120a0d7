// An example as its reader starts it: `node server.js` in its folder, told by SCGI_BIND where to listen.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../../support/deadline.js';
import type { Stage } from '../../nginx/support/stage.js';

export interface ExampleProcess {
  /** As `scgi_pass` wants it. */
  readonly address: string;
  /** SIGTERM. Returns the exit code, which is null for a process that had to be killed. */
  stop(): Promise<number | null>;
}

/** Starts `examples/<name>/server.js` and waits until it says that it listens; it ends with the stage. */
export async function startExample(stage: Stage, name: string, bind: string): Promise<ExampleProcess> {
  const cwd = fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
  const env = { ...process.env, SCGI_BIND: bind };
  const child = spawn(process.execPath, ['server.js'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const [, address] = /SCGI: listening on (\S+)\n/.exec(output) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('exit', () => reject(new Error(`the example ${name} ended: ${output}`)));
  });
  const exited = once(child, 'exit');
  stage.add(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const address = await within(listening, 10_000, `the example ${name} listening`);
  return {
    address,
    async stop() {
      child.kill('SIGTERM');
      await within(exited, 5_000, `the end of the example ${name}`);
      return child.exitCode;
    },
  };
}
