// Examples that are no SCGI servers: an HTTP server that says where it listens, and a command that ends by itself.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startPeerProcess, type PeerProcess } from '../../support/peer-process.js';

const pathOf = (file: string): string => fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url));

/** A running HTTP server. */
export interface HttpExample extends PeerProcess {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
}

/** Starts `examples/<name>/server.js` on a port of its own and waits until it listens. */
export async function startHttpExample(name: string): Promise<HttpExample> {
  const listening = /HTTP: listening on (http:\S+)\n/;
  const peer = await startPeerProcess({
    name,
    executable: process.execPath,
    args: () => [pathOf(`${name}/server.js`)],
    env: { PORT: '0' },
    isReady: (output) => listening.test(output),
  });
  return { ...peer, origin: listening.exec(peer.output())?.[1] ?? '' };
}

/** How a command has ended. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `node examples/<file> …args` to its end. */
export async function runExample(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 20_000 };
    execFile(process.execPath, [pathOf(file), ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
    });
  });
}
