// Starts and stops a real rTorrent without a terminal: its own session, its own folder for downloads, an SCGI socket. It
// talks to nobody: bound to loopback, its port closed, no DHT, no UDP trackers, no peer exchange.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRequest } from '@scgi/core/protocol';
import { requireFrontEnd } from './front-ends.js';
import { rawExchange } from './http-client.js';
import { startPeerProcess, type PeerProcess } from './peer-process.js';
import { findFreePort } from './server-process.js';

/** How rTorrent listens: it takes one of the two. */
export interface RtorrentOptions {
  /** Default 'unix'. */
  readonly listen?: 'unix' | 'tcp' | undefined;
  /** Largest XML-RPC request in bytes; its own default is 524,288. CONTENT_LENGTH ends at 2 MiB in any case. */
  readonly xmlrpcSizeLimit?: number | undefined;
}

/** A running rTorrent. */
export interface Rtorrent extends PeerProcess {
  /** Where its SCGI server listens: 'unix:/…' or '127.0.0.1:…'. */
  readonly address: string;
  /** Where its downloads are. */
  readonly downloads: string;
}

const call = Buffer.from('<methodCall><methodName>system.pid</methodName><params/></methodCall>');
const anyCall = Buffer.concat([encodeRequest([], call.length), call]);

/** Starts rTorrent and waits until it answers. */
export async function startRtorrent(options: RtorrentOptions = {}): Promise<Rtorrent> {
  const port = options.listen === 'tcp' ? await findFreePort() : undefined;
  const socketOf = (folder: string): string => join(folder, 'rt.sock');
  const addressIn = (folder: string): string => (port === undefined ? `unix:${socketOf(folder)}` : `127.0.0.1:${port}`);
  const peer = await startPeerProcess({
    name: 'rtorrent',
    executable: requireFrontEnd('rtorrent'),
    args(folder) {
      for (const name of ['session', 'downloads']) mkdirSync(join(folder, name));
      const file = join(folder, 'rtorrent.rc');
      writeFileSync(file, formatConfig(folder, port === undefined ? socketOf(folder) : port, options));
      return ['-n', '-o', `import=${file}`];
    },
    // The file is made by the last line of its configuration. Only who is answered knows that a SIGTERM will be heard.
    isReady: async (_output, folder) =>
      existsSync(join(folder, 'ready')) && (await rawExchange(addressIn(folder), anyCall)).length > 0,
  });
  const { folder } = peer;
  return {
    ...peer,
    address: addressIn(folder),
    downloads: join(folder, 'downloads'),
  };
}

function formatConfig(folder: string, scgi: string | number, { xmlrpcSizeLimit }: RtorrentOptions): string {
  const lines = [
    `session.path.set = ${join(folder, 'session')}`,
    `directory.default.set = ${join(folder, 'downloads')}`,
    'system.daemon.set = true',
    'network.bind_address.set = 127.0.0.1',
    'network.port_open.set = no',
    'dht.mode.set = disable',
    'trackers.use_udp.set = no',
    'protocol.pex.set = no',
    xmlrpcSizeLimit === undefined ? '' : `network.xmlrpc.size_limit.set = ${xmlrpcSizeLimit}`,
    typeof scgi === 'number' ? `network.scgi.open_port = 127.0.0.1:${scgi}` : `network.scgi.open_local = ${scgi}`,
    `schedule2 = ready, 0, 0, "execute.nothrow=touch,${join(folder, 'ready')}"`,
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}
