// localRedirect and sendfile as Koa has answers: `ctx.status`, fields and `ctx.body`, so that what wraps the middleware, a
// session for one, still can add to them.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { type AnswerHead, type LocalRedirectOptions, messageAnswered, planLocalRedirect } from '@scgi/core/env';
import { bodyOf, type FileAnswer, planFile, type SendfileOptions } from '@scgi/core/files';

/** A `ctx` that is answered, as far as it matters here. */
export interface AnsweredContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  status: number;
  body: unknown;
  set(fields: Readonly<Record<string, string>>): void;
  remove(field: string): void;
}

/** As `localRedirect` of @scgi/core, for a `ctx`. */
export function localRedirect(ctx: AnsweredContext, path: string, options?: LocalRedirectOptions): void {
  answer(ctx, planLocalRedirect(messageAnswered(ctx.req, ctx.res), path, options));
}

/**
 * As `sendfile` of @scgi/core, for a `ctx`. Resolves before the file is out; with false, having done nothing, where there is
 * none: Koa answers 404 then, if nobody else does.
 */
export async function sendfile(ctx: AnsweredContext, path: string, options?: SendfileOptions): Promise<boolean> {
  const planned = await planFile(messageAnswered(ctx.req, ctx.res), path, options);
  if (planned !== undefined) answer(ctx, planned);
  return planned !== undefined;
}

function answer(ctx: AnsweredContext, head: AnswerHead & Partial<FileAnswer>): void {
  const body = bodyOf(head);
  ctx.status = head.status;
  // Nothing at all would become a 204 or the text of the status.
  ctx.body = body ?? '';
  // Koa's guesses at type and length go first.
  for (const name of ['content-type', 'content-length', ...head.dropped]) ctx.remove(name);
  ctx.set(head.fields);
  // Behind the head Koa 2 reports an error and leaves the response open, as if more would come.
  if (body instanceof Readable) body.once('error', (error) => ctx.res.headersSent && ctx.res.destroy(error));
}
