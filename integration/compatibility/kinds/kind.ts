// What a kind of application is to the suite: something that can be served over HTTP, the oracle, and over SCGI.
//
// Each kind has one application, written as a user of that framework would write it, with these routes:
//   * /facts…        any method: what the application sees of the request, as JSON (`Facts`)
//   * /echo          any method: the body of the request, streamed back
//   POST /digest     length and SHA-256 of the body        POST /json /form /text   what the parsed body holds
//   GET  /hello /created /json-answer /umlauts /binary /large /file /nothing       bodies of many kinds
//   GET  /cookies /latin1 /empty-field /many-fields /huge-fields                   fields of many kinds
//   GET  /no-content /not-modified /redirect                                       204, 304, 302
//   GET  /chunks /unbuffered /events     a first part; the second when the gate `open` of the request's id opens
//   GET  /throw /reject          failures before the head
//   GET  /break /break-length    failures behind the head, not to be buffered, without and with a length
//   POST /early      413 without reading the body
//   GET  /wait /endless, POST /upload    noted on the stage: `arrived`, and `left` when the client is gone

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stage } from '../support/stage.js';

/** What the application sees of a request. */
export interface Facts {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The client's address. */
  readonly address: string | undefined;
  readonly scheme: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A server that runs. */
export interface Served {
  /** Where it listens: `127.0.0.1:4000`, `unix:/tmp/app.sock`. */
  readonly addresses: readonly string[];
  /** Waits for requests in flight. */
  close(): Promise<void>;
}

export interface Kind {
  /** The package whose `serveScgi` serves it. */
  readonly servedBy: string;
  /** What the oracle is. */
  readonly comparedWith: string;
  /** Over Node's HTTP server, or what this kind has for it. */
  serveHttp(stage: Stage): Promise<Served>;
  serveScgi(stage: Stage, bind: readonly string[]): Promise<Served>;
}

/** What `serveScgi` of any adapter resolves to. */
interface Running {
  readonly endpoints: readonly { readonly address: string }[];
  close(options?: { readonly timeout?: number | undefined }): Promise<void>;
}

export async function served(start: Promise<Running>): Promise<Served> {
  const running = await start;
  return {
    addresses: running.endpoints.map(({ address }) => address),
    close: () => running.close({ timeout: Number.POSITIVE_INFINITY }),
  };
}

/** A listener as every kind has one. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

export function serveOverHttp(listener: Listener, stop?: () => Promise<unknown>): Promise<Served> {
  return listening(createServer().on('request', listener), stop);
}

/** Lets an HTTP server listen. */
export async function listening(server: Server, stop?: () => Promise<unknown>): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP port');
  return {
    addresses: [`127.0.0.1:${address.port}`],
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      await closed;
      await stop?.();
    },
  };
}
