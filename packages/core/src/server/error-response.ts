// The bytes that answer a request which never reached the application. Says the status and the code of the cause,
// nothing of the request: whoever reads it may be anyone.

import type { ScgiError } from '../protocol/index.js';
import { errorCatalogue, formatResponseHead } from '../protocol/index.js';

/** A complete CGI response for `error`; a complete HTTP response if it was HTTP that was spoken to us. */
export function formatErrorResponse(error: ScgiError): string {
  // From the catalogue, which is ASCII; the error's own message quotes what the peer sent.
  const body = `${error.code}: ${errorCatalogue[error.code].message}\n`;
  const fields = ['content-type', 'text/plain', 'content-length', String(body.length)];
  const head = formatResponseHead(error.statusHint, undefined, fields);
  if (error.code !== 'ERR_SCGI_PLAIN_HTTP') return head + body;
  // `Status: 400 Bad Request` becomes `HTTP/1.1 400 Bad Request`, so that a browser shows the text.
  return head.replace(/^Status: /, 'HTTP/1.1 ').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') + body;
}
