// The gateways among the faces: the stand-alone front, Express, Koa, and Fetch (served over SCGI in turn).

import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { serveScgi as serveFetch } from '@scgi/adapter-fetch';
import type { ScgiError } from '@scgi/core/protocol';
import { createHttpFront, scgi, scgiFetchHandler, scgiKoa } from '@scgi/gateway';
import express from 'express';
import Koa from 'koa';
import type { Face, OpenFace } from './face.js';
import { askHttp } from './http-asker.js';

/** What a gateway reports, of a request by Node, Koa or the Fetch standard. */
type OnError = (error: ScgiError, request: { readonly url?: string | undefined }) => void;

/** Codes by the number of the request, which is its query. */
type Reported = Map<string, string[]>;

async function serve(server: Server, reported: Reported, closeAll: () => unknown): Promise<OpenFace> {
  // Room for a thousand at once: what does not fit is tried again after a second, or reset.
  const backlog = 4096;
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog }, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let asks = 0;
  return {
    async ask(asked) {
      const number = `x=${(asks += 1)}`;
      const outcome = await askHttp(port, `/asked?${number}`, asked);
      // The gateway may report a failure in the turn after the client sees it.
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      return { ...outcome, codes: reported.get(number) ?? [] };
    },
    async close() {
      await closeAll();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** A gateway in a server of Node's: `mount` makes its listener, and what closes its backend. */
function gateway(
  name: string,
  mount: (onError: OnError, target: string, options: Parameters<Face['open']>[1]) => Promise<Mounted> | Mounted,
): Face {
  return {
    name,
    kind: 'gateway',
    async open(target, options) {
      const reported: Reported = new Map();
      const onError: OnError = (error, { url = '' }) => {
        const number = url.slice(url.indexOf('?') + 1);
        reported.set(number, [...(reported.get(number) ?? []), error.code]);
      };
      const { server, close } = await mount(onError, target, options);
      return serve(typeof server === 'function' ? createServer(server) : server, reported, close);
    },
  };
}

interface Mounted {
  readonly server: Server | RequestListener;
  close(): unknown;
}

export const gateways: readonly Face[] = [
  gateway('createHttpFront', (onError, to, options) => ({
    server: createHttpFront({ ...options, to, onError }),
    close: () => {},
  })),
  gateway('Express', (onError, target, options) => {
    const middleware = scgi(target, { ...options, onError });
    return { server: express().use(middleware), close: () => middleware.close() };
  }),
  gateway('Koa', (onError, target, options) => {
    const middleware = scgiKoa(target, { ...options, onError: (error, { req }) => onError(error, req) });
    const app = new Koa().use(middleware);
    app.silent = true;
    return { server: app.callback(), close: () => middleware.close() };
  }),
  gateway('Fetch', async (onError, target, options) => {
    const handler = scgiFetchHandler(target, { ...options, onError });
    const running = await serveFetch(handler, { bind: 0, onError: () => {} });
    const front = createHttpFront({ to: running.endpoints[0]?.address ?? '', onError: () => {} });
    const close = async (): Promise<void> => {
      handler.close();
      await running.close({ timeout: 0 });
    };
    return { server: front, close };
  }),
];
