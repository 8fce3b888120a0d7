// Sends a file in the place of a backend's answer, with the backend's fields: `send` does conditional requests and ranges.
// Which file may be sent at all is file-finder.ts's.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { BackendError, type ResponseHead, type ScgiError } from '@scgi/core/protocol';
import send from 'send';
import { endToEndFields, setFields, writeStatus } from '@scgi/core/relay';
import { type FileOrder, userError } from './special-answers.js';

/** These describe the body that the backend did not send. */
const bodyFields: ReadonlySet<string> = new Set(['content-length', 'content-range']);

/** What `send` says of a failure. */
interface SendError extends Error {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Looks for the file and sends it.
 * @param onFailure hears of it when there is none, or when it cannot be read, and answers
 */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  head: ResponseHead,
  order: FileOrder,
  onFailure: (error: ScgiError) => void,
): Promise<void> {
  let path: string | undefined;
  try {
    path = await order.find(order.name, request);
  } catch (cause) {
    onFailure(userError('sendfile or accelRedirect', cause));
    return;
  }
  if (response.headersSent || response.destroyed) return;
  if (path === undefined) {
    onFailure(new BackendError('ERR_SCGI_FILE_NOT_FOUND', { file: order.name }));
    return;
  }
  setFields(response, fileFields(head));
  response.statusCode = head.status;
  // The path is absolute, free of links and checked: `send` need not look for dots and folders again.
  const sending = send(request, encodeURIComponent(path), {
    dotfiles: 'allow',
    index: false,
    cacheControl: false,
    acceptRanges: head.status === 200,
  });
  sending.on('error', (error: SendError) => {
    if (response.headersSent) {
      response.destroy();
    } else if (error.status === 412 || error.status === 416) {
      for (const name of response.getHeaderNames()) if (name.startsWith('content-')) response.removeHeader(name);
      for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value);
      writeStatus(response, error.status);
      response.end();
    } else {
      onFailure(new BackendError('ERR_SCGI_FILE_NOT_FOUND', { file: order.name }, { cause: error }));
    }
  });
  sending.pipe(response);
}

function fileFields(head: ResponseHead): string[] {
  const fields = endToEndFields(head);
  return fields.filter((_, index) => !bodyFields.has((fields[index - (index % 2)] ?? '').toLowerCase()));
}
