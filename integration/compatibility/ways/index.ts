// The ways from a client to an application over SCGI, each over TCP and over a Unix socket. Front ends are configured as
// their users do: nginx with its stock parameters and nothing else, Apache and lighttpd as docs/ tells.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpFront } from '@scgi/gateway';
import { startApache } from '../../support/apache.js';
import type { ProgramName } from '../../support/front-ends.js';
import { startLighttpd } from '../../support/lighttpd.js';
import { startNginx } from '../../support/nginx.js';
import type { Origin } from '../support/exchange.js';

/** A way that is open. */
export interface OpenWay {
  readonly origin: Origin;
  close(): Promise<void>;
}

export interface Way {
  readonly transport: 'TCP' | 'Unix';
  /** What must be installed. */
  readonly program?: ProgramName;
  /** @param to where the application speaks SCGI: `127.0.0.1:4000` or `unix:/tmp/app.sock` */
  open(to: string): Promise<OpenWay>;
}

type Open = Way['open'];

const rawScgi: Open = async (to) => ({ origin: { wire: 'scgi', address: addressOf(to) }, close: async () => {} });

const embeddedFront: Open = async (to) => {
  const server = createHttpFront({ to, onError: () => {} });
  const port = await listen(server);
  return {
    origin: { wire: 'http', address: { host: '127.0.0.1', port } },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
};

/** A web server in a process of its own. */
const webServer =
  (start: (options: { to: string }) => Promise<{ readonly port: number; stop(): Promise<void> }>): Open =>
  async (to) => {
    const { port, stop } = await start({ to });
    return { origin: { wire: 'http', address: { host: '127.0.0.1', port } }, close: stop };
  };

export const ways = {
  'raw SCGI, TCP': { transport: 'TCP', open: rawScgi },
  'raw SCGI, Unix': { transport: 'Unix', open: rawScgi },
  'embedded front, TCP': { transport: 'TCP', open: embeddedFront },
  'embedded front, Unix': { transport: 'Unix', open: embeddedFront },
  'nginx, TCP': { transport: 'TCP', program: 'nginx', open: webServer(startNginx) },
  'nginx, Unix': { transport: 'Unix', program: 'nginx', open: webServer(startNginx) },
  'Apache, TCP': { transport: 'TCP', program: 'apache', open: webServer(startApache) },
  'Apache, Unix': { transport: 'Unix', program: 'apache', open: webServer(startApache) },
  'lighttpd, TCP': { transport: 'TCP', program: 'lighttpd', open: webServer(startLighttpd) },
  'lighttpd, Unix': { transport: 'Unix', program: 'lighttpd', open: webServer(startLighttpd) },
} as const satisfies Record<string, Way>;

export type WayName = keyof typeof ways;

/** `127.0.0.1:4000` or `unix:/path` as `net.connect` wants it. */
export function addressOf(address: string): Origin['address'] {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return address.port;
}

/** What the suite last ran with, and what the named differences are true of. */
export const frontEnds = {
  nginx: { version: '1.22.1', configuration: '`include scgi_params; scgi_pass …;` and nothing else' },
  Apache: { version: '2.4.71', configuration: '`CGIPassAuth On`, `ap_trust_cgilike_cl`, `ProxyPass … nocanon`' },
  lighttpd: { version: '1.4.69', configuration: '`server.stream-response-body = 1`' },
} as const;
