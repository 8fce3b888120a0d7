// What an HTTP client sees of a failure: the status that the error's catalogue entry hints at and its phrase, nothing
// of the cause; or, once a head has gone out, a connection that breaks off, so that no answer looks whole that is not.

import type { ServerResponse } from 'node:http';
import { reasonPhrase, type ScgiError } from '@scgi/core/protocol';

/** Writes the answer for `error`, without ending it. */
export function writeErrorResponse(response: ServerResponse, error: ScgiError): void {
  const status = error.statusHint;
  const body = `${status} ${reasonPhrase(status)}\n`;
  response.writeHead(status, ['Content-Type', 'text/plain', 'Content-Length', String(body.length)]);
  response.write(body);
}

/**
 * Ends a response that cannot be completed.
 * @param endsWithConnection neither Content-Length nor chunks say where the body ends: without a reset it looks whole
 */
export function breakOff(response: ServerResponse, endsWithConnection: boolean): void {
  const { socket } = response;
  // A Unix socket, which has no remote address, cannot be reset.
  if (endsWithConnection && socket?.remoteAddress !== undefined) socket.resetAndDestroy();
  else response.destroy();
}
