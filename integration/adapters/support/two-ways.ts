// The same application over Node's HTTP server and over SCGI behind an HTTP front, asked with the same client: what
// differs is the adapter's doing. Knows no framework.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningServer } from '@scgi/core';
import { createFront } from '@scgi/testing';
import { onTestFinished } from 'vitest';
import { within } from '../../support/deadline.js';
import { openRequest, type HttpRequestOptions } from '../../support/http-client.js';

/** A request without the place it goes to. */
export type Question = Partial<Omit<HttpRequestOptions, 'origin'>>;

/** What a client got, without what belongs to its own connection. */
export type Answer =
  | { readonly broken: 'before the head' | 'behind the head' }
  | {
      readonly status: number;
      readonly reason: string;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
      readonly text: string;
    };

/** Serves a listener with Node's HTTP server until the test ends. Returns the origin. */
export async function serveHttp(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address: AddressInfo | string | null = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

/** Puts an HTTP front before an SCGI server until the test ends, and ends that too. Returns the origin. */
export async function frontOf(running: RunningServer): Promise<string> {
  onTestFinished(() => running.close({ timeout: 0 }));
  const front = await createFront(running.endpoints[0]?.address ?? '', { http: { onError: () => {} } });
  onTestFinished(() => front.close());
  return front.url;
}

// Date is the clock's, the others say how the connection goes on and how the body is framed.
const ofConnection = ['date', 'connection', 'keep-alive', 'trailer', 'transfer-encoding'];

/** Asks and reads the whole answer; a connection that breaks is an answer too. */
export async function ask(origin: string, question: Question): Promise<Answer> {
  const opened = await openRequest({ ...question, origin }).catch(unlessBroken);
  if (opened === undefined) return { broken: 'before the head' };
  const { response, abort } = opened;
  try {
    const body = await within(response.toArray(), 10_000, 'the body').catch(unlessBroken);
    if (body === undefined) return { broken: 'behind the head' };
    const fields = Object.entries(response.headers).filter(([name]) => !ofConnection.includes(name));
    const { statusCode: status = 0, statusMessage: reason = '' } = response;
    return { status, reason, headers: Object.fromEntries(fields), text: Buffer.concat(body).toString() };
  } finally {
    abort();
  }
}

/** What the front says of an SCGI server that breaks off before it has said anything. */
const badGateway: Answer = {
  status: 502,
  reason: 'Bad Gateway',
  headers: { 'content-type': 'text/plain', 'content-length': '16' },
  text: '502 Bad Gateway\n',
};

/**
 * The answer over HTTP as it must be over SCGI: the same, with the length of the body where HTTP has sent it in chunks
 * and SCGI knows it; and where a connection breaks before the head, the front is the one to say so.
 */
export function asOverScgi(http: Answer, scgi: Answer): Answer {
  if ('broken' in http && http.broken === 'before the head') return badGateway;
  if ('broken' in http || 'broken' in scgi || 'content-length' in http.headers) return http;
  const length = scgi.headers['content-length'];
  if (length !== String(Buffer.byteLength(http.text))) return http;
  return { ...http, headers: { ...http.headers, 'content-length': length } };
}

/** Only a broken connection; a deadline is for the test to fail on. */
function unlessBroken(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ECONNRESET') throw error;
}
