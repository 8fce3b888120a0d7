// An application that answers with the request as it saw it, and the reading of its answer.

import type { ScgiListener } from '@scgi/core';
import { expect } from 'vitest';
import { httpRequest, type HttpRequestOptions, type HttpResponse } from '../../support/http-client.js';

export interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly originalUrl?: string;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as latin1. */
  readonly body: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly encrypted: boolean;
}

export const mirror: ScgiListener = async (request, response) => {
  const { method, url, httpVersion, headers, socket } = request;
  const body = Buffer.concat(await request.toArray()).toString('latin1');
  const originalUrl = 'originalUrl' in request ? request.originalUrl : undefined;
  const { remoteAddress, remotePort } = socket;
  const encrypted = 'encrypted' in socket && socket.encrypted === true;
  const { env } = request.scgi;
  response.setHeader('Content-Type', 'application/json');
  const seen = { method, url, originalUrl, httpVersion, headers, body, env, remoteAddress, remotePort, encrypted };
  response.end(JSON.stringify(seen));
};

/** Asks and reads what the mirror saw. */
export async function seenBy(options: HttpRequestOptions): Promise<Mirrored> {
  return readMirrored(await httpRequest(options));
}

export function readMirrored({ status, text }: Pick<HttpResponse, 'status' | 'text'>): Mirrored {
  expect({ status, text }).toMatchObject({ status: 200 });
  return JSON.parse(text);
}

/** The body of a raw HTTP/1 answer, without chunk framing, which the mirror's answers never have. */
export function readRawMirrored(answer: Buffer): Mirrored {
  const text = answer.toString();
  const headEnd = text.indexOf('\r\n\r\n');
  return readMirrored({ status: Number(text.slice(9, 12)), text: text.slice(headEnd + 4) });
}
