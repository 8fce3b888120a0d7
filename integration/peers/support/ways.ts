// The ways to a backend that all peers are tested by: the client's own `fetch`, HTTP through the gateway, and the
// gateway's handler of Fetch requests.

import { Readable } from 'node:stream';
import { createScgiFetch, scgi as call } from '@scgi/client';
import { scgi, scgiFetchHandler } from '@scgi/gateway';
import express from 'express';
import { combinedWith } from '../../support/combinations.js';
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

export const kindsOfWay = ['by the client', 'through the gateway', 'through a Fetch handler'] as const;

/** The ways that are tested to one of the addresses of a peer. */
export function waysTo<Address>(
  address: Address,
  addresses: readonly Address[],
): readonly (typeof kindsOfWay)[number][] {
  return kindsOfWay.filter((_, index) => combinedWith(index, addresses).includes(address));
}

/** Opens a way to a backend; it ends with the tests of the file. Codes of what fails in a gateway go to `errors`. */
export async function openWay(kind: (typeof kindsOfWay)[number], address: string, errors: string[] = []): Promise<Way> {
  if (kind === 'by the client') {
    const ask = createScgiFetch(address);
    return {
      mount: '',
      ask: (path, init) => ask(`http://localhost${path}`, init),
      stream: async (path, contentLength, body) => (await call(address, { path, contentLength, body })).body,
    };
  }
  const onError = ({ code }: { code: string }): void => void errors.push(code);
  if (kind === 'through a Fetch handler') {
    const handle = scgiFetchHandler('/mount', address, { onError });
    const ask = (path: string, init?: RequestInit): Promise<Response> =>
      Promise.resolve(handle(new Request(`http://localhost/mount${path}`, init), { remoteAddress: '127.0.0.1' }));
    return {
      mount: '/mount',
      ask,
      async stream(path, length, body) {
        const headers = { 'Content-Length': `${length}` };
        const response = await ask(path, { method: 'POST', headers, body: Readable.toWeb(body), duplex: 'half' });
        return Readable.from(response.body ?? []);
      },
    };
  }
  const app = express();
  const backend = scgi('/mount', address, { onError });
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
