// Answers that the front end may give in the application's place, for Node's responses: of this server, and of any other
// `http.Server`, which redirects and sends files by itself.

import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type AnswerHead,
  bodyFields,
  type LocalRedirectOptions,
  messageAnswered,
  planLocalRedirect,
} from '../env/index.js';
import { bodyOf, planFile, type SendfileOptions } from '../files/index.js';
import { LocalProtocolError } from '../protocol/index.js';

/** For one file. */
export interface SendfileResponseOptions extends SendfileOptions {
  /** True: where there is no such file, nothing is sent and the promise resolves with false. Default false: 404. */
  readonly fallthrough?: boolean | undefined;
}

const notFound = 'Not Found\n';
const missing: AnswerHead = {
  status: 404,
  fields: { 'Content-Type': 'text/plain', 'Content-Length': `${notFound.length}` },
  dropped: bodyFields,
};

/**
 * Ends the response with a redirect to another path of this site: followed by the front end where the option `frontEnd` says
 * that it does, else by the client (302, or 303 after another method than GET and HEAD). Cookies that are set go along.
 * @param path absolute, as a client would ask for it; what has to be encoded is encoded
 * @throws {LocalProtocolError} ERR_SCGI_REDIRECT_PATH for one that could lead elsewhere; ERR_SCGI_LOCAL_REDIRECT_LOOP where the
 *   front end has followed five for this request; ERR_SCGI_STATE when the response has begun
 */
export function localRedirect(response: ServerResponse, path: string, options?: LocalRedirectOptions): void {
  const head = planLocalRedirect(messageAnswered(response.req, response), path, options);
  applyHead(response, head);
  response.end();
}

/**
 * Ends the response with a file: sent by the front end where the option `frontEnd` says that it can, else from here, with
 * conditional requests and a range. Resolves when it is out, or the client has left, with whether there is such a file.
 * @param path absolute, or from `root` on
 * @throws {LocalProtocolError} by rejection: ERR_SCGI_SENDFILE when the file cannot be read, or changes while it is sent, and
 *   then the response is broken off; ERR_SCGI_OPTION for a path from nowhere on; ERR_SCGI_STATE when the response has begun
 */
export async function sendfile(
  response: ServerResponse,
  path: string,
  options: SendfileResponseOptions = {},
): Promise<boolean> {
  const answer = await planFile(messageAnswered(response.req, response), path, options);
  if (answer === undefined && options.fallthrough === true) return false;
  // The client has left meanwhile.
  if (response.destroyed) return answer !== undefined;
  applyHead(response, answer ?? missing);
  const body = answer === undefined ? notFound : bodyOf(answer);
  if (body instanceof Readable) await pipe(body, response);
  else response.end(body ?? undefined);
  return answer !== undefined;
}

function applyHead(response: ServerResponse, { status, fields, dropped }: AnswerHead): void {
  if (response.headersSent || response.writableEnded) {
    throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'the response has begun' });
  }
  response.statusCode = status;
  // HTTP/2 has none, and warns.
  if (response.statusMessage) response.statusMessage = '';
  for (const name of dropped) {
    // For the length this also says that Node is to state none.
    if (name === 'content-length' || response.hasHeader(name)) response.removeHeader(name);
  }
  for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
}

/** Destroys the response when the file fails, which breaks it off. Settles when the file is closed. */
async function pipe(stream: Readable, response: ServerResponse): Promise<void> {
  const closed = new Promise((resolve) => stream.once('close', resolve));
  try {
    await pipeline(stream, response);
  } catch (error) {
    // The client has left: nobody's failure.
    if (!isCode(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  } finally {
    await closed;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
