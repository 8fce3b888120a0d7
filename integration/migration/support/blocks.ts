// What a page about moving has: blocks before and after, and what an application sees behind them.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import express from 'express';
import { expect } from 'vitest';
import type { Stage } from '../../nginx/support/stage.js';
import { httpRequest, type HttpRequestOptions } from '../../support/http-client.js';
import { fencesOf } from '../../package-check/markdown.js';

/** The block of a page that holds all these words. */
export function blockOf(page: string, language: string, ...words: readonly string[]): string {
  const block = fencesOf(language, page).find(({ code }) => words.every((word) => code.includes(word)));
  return block?.code ?? expect.unreachable(`${page} has no ${language} block with ${words.join(', ')}`);
}

/** What an application sees of a request. */
export interface Seen {
  readonly url: string;
  readonly originalUrl: string;
  readonly method: string;
  readonly body: string;
  readonly ip: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly remoteAddress: string;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** An Express application that tells what it sees. */
export function telling(trustProxy: unknown): RequestListener {
  const app = express().set('trust proxy', trustProxy);
  app.use(async (request, response) => {
    const { url, originalUrl, method, ip, protocol, hostname, httpVersion, headers, socket } = request;
    const body = Buffer.concat(await request.toArray()).toString();
    const { remoteAddress } = socket;
    response.json({ url, originalUrl, method, body, ip, protocol, hostname, remoteAddress, httpVersion, headers });
  });
  return app;
}

export async function seenBy(options: HttpRequestOptions): Promise<Seen> {
  const { status, text } = await httpRequest(options);
  expect({ status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text);
}

/** Serves over HTTP, as before; resolves with the port. */
export async function serveHttp(stage: Stage, listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.add(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: portOf(server), server };
}

/** A port on which nobody listens any more. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
