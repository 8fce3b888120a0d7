// localRedirect and sendfile by way of `reply.send`, so that `onSend` hooks, those of cookies and sessions for two, run.

import type { ServerResponse } from 'node:http';
import { type AnswerHead, type LocalRedirectOptions, messageAnswered, planLocalRedirect } from '@scgi/core/env';
import { bodyOf, emptyBody, type FileAnswer, planFile, type SendfileOptions } from '@scgi/core/files';

/** A `reply`, as far as it matters here. */
export interface AnsweredReply extends Pick<ServerResponse, 'getHeader' | 'removeHeader'> {
  readonly raw: ServerResponse;
  code(status: number): this;
  headers(fields: Readonly<Record<string, string>>): this;
  send(payload: unknown): this;
  callNotFound(): unknown;
}

/** As `localRedirect` of @scgi/core, for a `reply`, which it returns. */
export function localRedirect<R extends AnsweredReply>(reply: R, path: string, options?: LocalRedirectOptions): R {
  return send(reply, planLocalRedirect(messageAnswered(reply.raw.req, reply), path, options));
}

/** As `sendfile` of @scgi/core, for a `reply`. Where there is no such file the application's 404 handler answers. */
export async function sendfile(reply: AnsweredReply, path: string, options?: SendfileOptions): Promise<unknown> {
  const answer = await planFile(messageAnswered(reply.raw.req, reply), path, options);
  return answer === undefined ? reply.callNotFound() : send(reply, answer);
}

function send<R extends AnsweredReply>(reply: R, answer: AnswerHead & Partial<FileAnswer>): R {
  for (const name of answer.dropped) reply.removeHeader(name);
  // Node's own response is to state no length for what the front end sends; what Fastify has of one wins later.
  reply.raw.removeHeader('content-length');
  reply.code(answer.status).headers(answer.fields);
  return reply.send(bodyOf(answer) ?? emptyBody());
}
