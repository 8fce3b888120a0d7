// A backend's answer as the Response of a fetch.

import { RemoteProtocolError } from '@scgi/core/protocol';
import { failed, type FetchRequest } from './fetch-request.js';
import { ReceivedResponse } from './received-response.js';
import type { ScgiResponse } from './response.js';

/** "Null body status" of the fetch standard, but for the interim ones. */
const withoutBody: ReadonlySet<number> = new Set([204, 205, 304]);

/** @throws {TypeError} for a status that no Response can have */
export function fetchResponse(answer: ScgiResponse, request: FetchRequest, redirected: boolean): Response {
  const { status, reason, headers } = answer;
  if (status < 200 || status > 599) {
    destroy(answer);
    throw failed(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status, fault: 'no Response can have it' }));
  }
  const bodiless = request.method === 'HEAD' || withoutBody.has(status);
  if (bodiless) destroy(answer);
  const response = new Response(bodiless ? null : streamOf(answer, request.signal), {
    status,
    statusText: reason,
    headers,
  });
  // Nothing else sets these two; `clone` does not know of them.
  Object.defineProperty(response, 'url', { value: withoutFragment(request.url) });
  if (redirected) Object.defineProperty(response, 'redirected', { value: true });
  return response;
}

function streamOf(answer: ScgiResponse, signal: AbortSignal | undefined): ReturnType<ScgiResponse['stream']> {
  if (!(answer instanceof ReceivedResponse)) return answer.stream();
  // As undici: a reason is given as it is, everything else is told apart from a body that ended.
  return answer.stream((failure) =>
    signal?.aborted === true ? signal.reason : new TypeError('terminated', { cause: failure }),
  );
}

function destroy(answer: ScgiResponse): void {
  answer.socket?.destroy();
  answer.body.destroy();
}

function withoutFragment(url: URL): string {
  return url.hash === '' ? url.href : url.href.slice(0, -url.hash.length);
}
