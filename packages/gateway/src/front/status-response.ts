// Answers that are the front's own: the status and its phrase.

import type { ServerResponse } from 'node:http';
import { reasonPhrase } from '@scgi/core/protocol';

/** Sends it, without what was set before. */
export function writeStatus(response: ServerResponse, status: number, fields: readonly string[] = []): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const body = `${status} ${reasonPhrase(status)}\n`;
  response.writeHead(status, ['Content-Type', 'text/plain', 'Content-Length', String(body.length), ...fields]);
  response.end(body);
}
