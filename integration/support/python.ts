// Starts and stops a small SCGI server written in Python, on a port or a Unix socket of its own. The script prints
// `listening on <address>` when it accepts connections.

import { join } from 'node:path';
import { requireFrontEnd } from './front-ends.js';
import { startPeerProcess, type PeerProcess } from './peer-process.js';

/** A running script. */
export interface PythonServer extends PeerProcess {
  readonly address: string;
}

/** How a script is started: `python3 script where …rest`, `where` being `127.0.0.1:0` or `unix:/path`. */
export interface PythonOptions {
  readonly script: string;
  /** Default 'unix'. */
  readonly listen?: 'unix' | 'tcp' | undefined;
  /** What follows the address. */
  readonly rest?: readonly string[] | undefined;
}

/** Starts a script and waits until it says that it listens. */
export async function startPython({ script, listen = 'unix', rest = [] }: PythonOptions): Promise<PythonServer> {
  const peer = await startPeerProcess({
    name: 'python',
    executable: requireFrontEnd('python'),
    args: (folder) => ['-u', script, listen === 'tcp' ? '127.0.0.1:0' : `unix:${join(folder, 'app.sock')}`, ...rest],
    isReady: (output) => listening.test(output),
  });
  return { ...peer, address: listening.exec(peer.output())?.[1] ?? '' };
}

const listening = /listening on (\S+)\n/;
