// The answer for a folder that was asked for without the slash at its end, as Apache's mod_dir gives it.

import { splitAbsoluteForm } from '@scgi/core/env';
import { reasonPhrase } from '@scgi/core/protocol';
import { mergeSlashes } from './path-policy.js';
import type { Run, RunHandler } from './runner.js';

/** Runs nothing, and answers with a redirect. */
export class SlashRedirect implements Run {
  readonly #target: string;
  readonly #handler: RunHandler;

  /** @param target what the client has asked for: path and query */
  constructor(target: string, handler: RunHandler) {
    this.#target = splitAbsoluteForm(target)?.target ?? target;
    this.#handler = handler;
  }

  start(): void {
    const at = this.#target.indexOf('?');
    const [path, query] = at === -1 ? [this.#target, ''] : [this.#target.slice(0, at), this.#target.slice(at)];
    // Merged: `//host` would lead to another host.
    const fields = ['Location', `${mergeSlashes(path)}/${query}`];
    this.#handler.onHead({
      status: 301,
      reason: reasonPhrase(301),
      fields,
      kind: 'client-redirect',
      contentLength: undefined,
    });
    this.#handler.onEnd();
  }

  resume(): void {}

  noteInput(): void {}

  destroy(): void {}
}
