// The ways to a backend that all peers are tested by: the client's own `fetch`, and HTTP through the gateway.

import type { Readable } from 'node:stream';
import { createScgiFetch, scgi as call } from '@scgi/client';
import { scgi } from '@scgi/gateway';
import express from 'express';
import { openRequest } from '../../support/http-client.js';
import { listenHttp } from './listen.js';

/** A way to an application. */
export interface Way {
  /** As `fetch`, but for a path of the application. Rejects with the typed error, or for what HTTP makes of it. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** POSTs a body as it comes, of which the length is told. Resolves with the body of the answer once that has begun. */
  stream(path: string, length: number, body: Readable): Promise<Readable>;
  /** Over HTTP: `http://127.0.0.1:port`. */
  readonly origin?: string;
  /** SCRIPT_NAME. */
  readonly mount: string;
}

export const kindsOfWay = ['by the client', 'through the gateway'] as const;

/** Opens a way to a backend; it ends with the tests of the file. Codes of what fails in the gateway go to `errors`. */
export async function openWay(kind: (typeof kindsOfWay)[number], address: string, errors: string[] = []): Promise<Way> {
  if (kind === 'by the client') {
    const ask = createScgiFetch(address);
    return {
      mount: '',
      ask: (path, init) => ask(`http://localhost${path}`, init),
      stream: async (path, contentLength, body) => (await call(address, { path, contentLength, body })).body,
    };
  }
  const app = express();
  const backend = scgi('/mount', address, { onError: ({ code }) => errors.push(code) });
  app.use(backend);
  const origin = await listenHttp(app, backend.upgrade);
  return {
    mount: '/mount',
    origin,
    ask: (path, init) => fetch(`${origin}/mount${path}`, init),
    async stream(path, length, body) {
      const headers = { 'Content-Length': `${length}` };
      return (await openRequest({ origin, path: `/mount${path}`, method: 'POST', headers, body })).response;
    },
  };
}
