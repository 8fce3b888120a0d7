// Running servers, folders and addresses for the tests of serveScgi; whatever a test opens is closed when it ends.

import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { serveScgi } from '../../src/index.js';
import type { Endpoint, RunningServer, ScgiListener, ServeOptions } from '../../src/index.js';
import { within } from '../support/raw-client.js';

export const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);
/** Linux has all of 127.0.0.0/8 on its loopback interface, so a client can choose who it is. */
export const hasManyLoopbacks = process.platform === 'linux';

/** serveScgi on a free loopback port unless `bind` says otherwise; broken off when the test ends. */
export async function serve(listener: ScgiListener, options: ServeOptions = {}): Promise<RunningServer> {
  const running = await serveScgi(listener, { bind: 0, ...options });
  onTestFinished(() => running.close({ timeout: 0 }));
  return running;
}

/** Where clients connect, in the form of `server.address()`. */
export function addressOf(endpoint: Endpoint | undefined): AddressInfo | string {
  if (endpoint?.path !== undefined) return endpoint.path;
  const { host, port } = endpoint ?? {};
  if (host === undefined || port === undefined) throw new Error('the endpoint is neither TCP nor Unix');
  return { address: host, port, family: net.isIPv6(host) ? 'IPv6' : 'IPv4' };
}

/** Where clients of the first endpoint connect. */
export function firstAddress(running: RunningServer): AddressInfo | string {
  return addressOf(running.endpoints[0]);
}

/** Connects from `localAddress` to `port` on 127.0.0.1. */
export async function connectFrom(localAddress: string, port: number): Promise<Socket> {
  const socket = net.connect({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true });
  await within('connect', new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject)));
  return socket;
}

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The error of a promise that must reject. */
export async function rejectionOf(promise: Promise<unknown>): Promise<NodeJS.ErrnoException> {
  const error = await within(
    'the rejection',
    promise.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  if (error instanceof Error) return error;
  throw new Error('the promise did not reject with an error');
}
