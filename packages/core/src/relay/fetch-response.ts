// A backend's answer as a Response of the Fetch standard. Knows nothing of requests.

import type { Readable } from 'node:stream';
import type { ResponseHead } from '../protocol/index.js';
import { RemoteProtocolError, isFieldValue, reasonPhrase } from '../protocol/index.js';
import { endToEndFields } from './response-fields.js';

/** A decoded head, and a stream of the body behind it. */
export interface RelayedResponse extends ResponseHead {
  readonly body: Readable;
}

/** Of these a Response refuses a body, even an empty one. */
const nullBodyStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

/** @throws {RemoteProtocolError} ERR_SCGI_RESPONSE_STATUS for a status that no Response can have */
export function responseOf(answer: RelayedResponse, method: string): Response {
  const { status, reason, body } = answer;
  if (status < 200 || status > 599) {
    body.destroy();
    throw new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status, fault: 'no Response can have it' });
  }
  const headers = new Headers();
  const fields = endToEndFields(answer);
  for (let index = 0; index < fields.length; index += 2) headers.append(fields[index] ?? '', fields[index + 1] ?? '');
  const init = { status, statusText: isFieldValue(reason) ? reason : '', headers };
  if (method !== 'HEAD' && !nullBodyStatuses.has(status)) return new Response(streamOf(body), init);
  // To its end, which is all that can come: closing before it would look like a client that left.
  if (status === 205) body.destroy();
  else body.resume();
  return new Response(null, init);
}

/** The status and its phrase. */
export function statusResponse(status: number): Response {
  const statusText = reasonPhrase(status);
  return new Response(`${status} ${statusText}\n`, { status, statusText, headers: { 'Content-Type': 'text/plain' } });
}

/** Nothing is read ahead of its reader; to cancel it closes the backend's connection. */
function streamOf(body: Readable): ReadableStream<Uint8Array> {
  let over = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (act: () => void): void => {
          if (!over) act();
          over = true;
        };
        body.on('data', (chunk: Uint8Array) => {
          body.pause();
          if (!over) controller.enqueue(chunk);
        });
        body.pause();
        body.once('end', () => end(() => controller.close()));
        body.once('error', (error) => end(() => controller.error(error)));
      },
      pull() {
        body.resume();
      },
      cancel() {
        over = true;
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
