// The same application over Node's HTTP server and over SCGI behind an HTTP front, asked with the same client: what
// differs is the adapter's doing. Knows no framework.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningServer } from '@scgi/core';
import { createFront } from '@scgi/testing';
import { onTestFinished } from 'vitest';
import { httpRequest, type HttpRequestOptions } from '../../support/http-client.js';

/** A request without the place it goes to. */
export type Question = Partial<Omit<HttpRequestOptions, 'origin'>>;

/** What a client got, without what belongs to its own connection. */
export type Answer =
  | { readonly broken: true }
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
  const front = await createFront(running.endpoints[0]?.address ?? '');
  onTestFinished(() => front.close());
  return front.url;
}

// Date is the clock's, the others say how the connection goes on and how the body is framed.
const ofConnection = ['date', 'connection', 'keep-alive', 'transfer-encoding'];

/** Asks and reads the whole answer; a connection that breaks is an answer too. */
export async function ask(origin: string, question: Question): Promise<Answer> {
  const answer = await httpRequest({ ...question, origin }).catch(brokenBy);
  if (answer === undefined) return { broken: true };
  const { status, reason, text } = answer;
  const fields = Object.entries(answer.headers).filter(([name]) => !ofConnection.includes(name));
  return { status, reason, headers: Object.fromEntries(fields), text };
}

/**
 * The answer over HTTP as it must be over SCGI: the same, with the length of the body where HTTP has sent it in chunks
 * and SCGI knows it.
 */
export function asOverScgi(http: Answer, scgi: Answer): Answer {
  if ('broken' in http || 'broken' in scgi || 'content-length' in http.headers) return http;
  const length = scgi.headers['content-length'];
  if (length !== String(Buffer.byteLength(http.text))) return http;
  return { ...http, headers: { ...http.headers, 'content-length': length } };
}

/** Only a broken connection; a deadline is for the test to fail on. */
function brokenBy(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ECONNRESET') throw error;
}
