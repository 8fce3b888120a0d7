// An application over HTTP, with SCGI in between: for supertest and every other HTTP client.
// HTTP client → HTTP front → SCGI → the application, all in this process, on addresses nobody else has.

import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningServer, ScgiListener, ServeOptions } from '@scgi/core';
import { serveScgi } from '@scgi/core';
import type { BackendTarget } from '@scgi/client/exchange';
import type { HttpFrontOptions } from '@scgi/gateway';
import { createHttpFront } from '@scgi/gateway';

/** Options of `createFront`. */
export interface FrontOptions {
  /** For the HTTP side. */
  readonly http?: Omit<HttpFrontOptions, 'to' | 'backends'> | undefined;
  /** For the SCGI side, when it is ours. */
  readonly scgi?: Omit<ServeOptions, 'bind'> | undefined;
}

/** A running HTTP front. */
export interface Front {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string;
  /** Listens already: `request(front.server)` of supertest takes it as it is. */
  readonly server: Server;
  /** Where the SCGI server listens, for `rawRequest`. */
  readonly target: BackendTarget;
  /** Breaks off what is open and stops both servers. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves an application over SCGI on a temporary Unix socket (on Windows a TCP port) with an HTTP server before it,
 * or puts one before an SCGI server that runs already.
 *
 * @param app a listener `(req, res)`, such as an Express application or `koaApp.callback()`; or an SCGI address
 * @throws {LocalProtocolError} ERR_SCGI_OPTION and what `serveScgi` throws
 */
export async function createFront(app: ScgiListener | BackendTarget, options: FrontOptions = {}): Promise<Front> {
  const backend = typeof app === 'function' ? await serveTemporarily(app, options.scgi) : { target: app, close: noop };
  try {
    const server = createHttpFront({ ...options.http, to: backend.target });
    const port = await listen(server);
    let closing: Promise<void> | undefined;
    const closeBoth = async (): Promise<void> => {
      await closeHttp(server);
      await backend.close();
    };
    const close = (): Promise<void> => (closing ??= closeBoth());
    return {
      url: `http://127.0.0.1:${port}`,
      server,
      target: backend.target,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
}

interface Backend {
  readonly target: BackendTarget;
  close(): Promise<void>;
}

async function serveTemporarily(listener: ScgiListener, options: FrontOptions['scgi']): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), 'scgi-'));
  const bind = process.platform === 'win32' ? '127.0.0.1:0' : `unix:${folder}/app.sock`;
  let running: RunningServer | undefined;
  const close = async (): Promise<void> => {
    await running?.close({ timeout: 0 });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    running = await serveScgi(listener, { ...options, bind });
  } catch (error) {
    await close();
    throw error;
  }
  return { target: running.endpoints[0]?.address ?? bind, close };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function closeHttp(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function noop(): Promise<void> {}
