// Starts and stops a real Molly Brown, a Gemini server that speaks SCGI over Unix sockets.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { requireFrontEnd } from '../../support/front-ends.js';
import { startPeerProcess } from '../../support/peer-process.js';
import type { PeerProcess } from '../../support/peer-process.js';
import type { Identity } from './certificates.js';

/** A running Molly Brown. */
export interface MollyBrown extends PeerProcess {
  readonly port: number;
  errorLog(): string;
}

export interface MollyBrownOptions {
  readonly identity: Identity;
  /** Unix sockets by the beginning of the paths that go there. */
  readonly scgiPaths: Readonly<Record<string, string>>;
}

/** Starts it on a port of its own and waits until it accepts connections. */
export async function startMollyBrown({ identity, scgiPaths }: MollyBrownOptions): Promise<MollyBrown> {
  const port = await findFreePort();
  const peer = await startPeerProcess({
    name: 'molly-brown',
    executable: requireFrontEnd('molly-brown'),
    args(folder) {
      mkdirSync(join(folder, 'docs'));
      writeFileSync(join(folder, 'molly.conf'), formatConfig(folder, port, identity, scgiPaths));
      return ['-c', join(folder, 'molly.conf')];
    },
    isReady: () => accepts(port),
  });
  return { ...peer, port, errorLog: () => readFileSync(join(peer.folder, 'error.log'), 'utf8') };
}

function formatConfig(
  folder: string,
  port: number,
  identity: Identity,
  scgiPaths: Readonly<Record<string, string>>,
): string {
  const settings = {
    Port: port,
    Hostname: 'localhost',
    CertPath: identity.cert,
    KeyPath: identity.key,
    DocBase: join(folder, 'docs'),
    AccessLog: join(folder, 'access.log'),
    ErrorLog: join(folder, 'error.log'),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
  const paths = Object.entries(scgiPaths).map(
    ([path, socket]) => `${JSON.stringify(path)} = ${JSON.stringify(socket)}`,
  );
  return [...lines, '[SCGIPaths]', ...paths, ''].join('\n');
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}
