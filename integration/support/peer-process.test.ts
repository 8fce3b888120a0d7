// The harnesses of SCGI servers: each listens where it says, prints what went wrong, and leaves nothing behind.

import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parseTarget } from '@scgi/client/exchange';
import { within } from './deadline.js';
import { describeWith } from './front-ends.js';
import { startPeerProcess } from './peer-process.js';
import { startPython } from './python.js';
import { startRtorrent } from './rtorrent.js';
import { startUwsgi } from './uwsgi.js';

const backend = (name: string): string => fileURLToPath(new URL(`../peers/backends/${name}`, import.meta.url));

async function accepts(address: string): Promise<boolean> {
  const socket = connect(parseTarget(address).connect);
  const connected = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  try {
    return await within(connected, 5_000, `a connection to ${address}`);
  } finally {
    socket.destroy();
  }
}

describeWith('rtorrent', 'rTorrent', () => {
  test.each(['unix', 'tcp'] as const)('listens by %s and ends at once', async (listen) => {
    const rtorrent = await startRtorrent({ listen });
    expect(await accepts(rtorrent.address)).toBe(true);
    expect(await rtorrent.stop()).toBe(0);
    expect(existsSync(rtorrent.folder)).toBe(false);
    expect(await accepts(rtorrent.address)).toBe(false);
  });
});

describeWith('uwsgi', 'uWSGI', () => {
  test('listens on a port and on two sockets', async () => {
    const uwsgi = await startUwsgi({ application: backend('wsgi_app.py') });
    const addresses = [uwsgi.tcpAddress, uwsgi.unixAddress, uwsgi.nphAddress];
    expect(await Promise.all(addresses.map(accepts))).toEqual([true, true, true]);
    // Its own code for an end that was asked for.
    expect(await uwsgi.stop()).toBe(30);
    expect(await Promise.all(addresses.map(accepts))).toEqual([false, false, false]);
  });

  test('says why it does not start', async () => {
    await expect(startUwsgi({ application: '/nowhere.py' })).rejects.toThrow('/nowhere.py');
  });
});

describeWith('python', 'Python', () => {
  test.each(['unix', 'tcp'] as const)('listens by %s', async (listen) => {
    const python = await startPython({ script: backend('wsgi_server.py'), listen });
    onTestFinished(async () => void (await python.stop()));
    expect(await accepts(python.address)).toBe(true);
  });

  test('ends what does not listen to SIGTERM', async () => {
    const script =
      'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print("up", flush=True); signal.pause()';
    const peer = await startPeerProcess({
      name: 'stubborn',
      executable: '/usr/bin/env',
      args: () => ['python3', '-c', script],
      isReady: (output) => output.includes('up'),
    });
    writeFileSync(`${peer.folder}/left`, '');
    expect(await peer.stop()).toBeNull();
    expect(existsSync(peer.folder)).toBe(false);
  });
});
