// Starts and stops a real uWSGI that serves a Python application over SCGI: on a TCP port, on a Unix socket, and on
// another Unix socket where its answers begin with a status line ("non-parsed headers").

import { join } from 'node:path';
import { encodeRequest } from '@scgi/core/protocol';
import { requireFrontEnd } from './front-ends.js';
import { rawExchange } from './http-client.js';
import { startPeerProcess, type PeerProcess } from './peer-process.js';

/** What to serve. */
export interface UwsgiOptions {
  /** Path of a file with a WSGI `application`. */
  readonly application: string;
  /** Largest request head in bytes. uWSGI's own default is 4,096. */
  readonly bufferSize?: number | undefined;
}

/** A running uWSGI: one process with four threads. */
export interface Uwsgi extends PeerProcess {
  readonly tcpAddress: string;
  readonly unixAddress: string;
  /** Answers there begin with `HTTP/1.1 200 OK` in place of `Status: 200 OK`. */
  readonly nphAddress: string;
}

const boundToTcp = /bound to TCP address (127\.0\.0\.1:\d+)/;

/** Asks for nothing in particular. */
const anyRequest = encodeRequest(['REQUEST_METHOD', 'GET', 'PATH_INFO', '/'], 0);

/** Starts uWSGI and waits until it answers: a SIGTERM before that is lost on it. */
export async function startUwsgi({ application, bufferSize }: UwsgiOptions): Promise<Uwsgi> {
  const peer = await startPeerProcess({
    name: 'uwsgi',
    executable: requireFrontEnd('uwsgi'),
    args: (folder) =>
      [
        ['--plugins-dir', '/usr/lib/uwsgi/plugins', '--plugin', 'python3'],
        ['--scgi-socket', '127.0.0.1:0'],
        ['--scgi-socket', join(folder, 'uwsgi.sock')],
        ['--scgi-nph-socket', join(folder, 'nph.sock')],
        ['--wsgi-file', application, '--need-app'],
        ['--threads', '4', '--die-on-term'],
        bufferSize === undefined ? [] : ['--buffer-size', `${bufferSize}`],
      ].flat(),
    isReady: async (output) =>
      output.includes('spawned uWSGI worker') &&
      (await rawExchange(boundToTcp.exec(output)?.[1] ?? '', anyRequest)).length > 0,
  });
  return {
    ...peer,
    tcpAddress: boundToTcp.exec(peer.output())?.[1] ?? '',
    unixAddress: `unix:${join(peer.folder, 'uwsgi.sock')}`,
    nphAddress: `unix:${join(peer.folder, 'nph.sock')}`,
  };
}
