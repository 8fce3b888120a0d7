// That the client left before the response was given: once, as a flag, a signal and listeners.

import { AbortError } from '@scgi/core';

export class Departure {
  #happened: boolean = false;
  #listeners: (() => void)[] | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  get happened(): boolean {
    return this.#happened;
  }

  /** Somebody listens, or looks at the signal. */
  get isAwaited(): boolean {
    return this.#listeners !== undefined || this.#controller !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#happened) this.#controller.abort(clientGone());
    }
    return this.#controller.signal;
  }

  /** Calls `listener` when it happens; at once if it has. It must not throw. */
  listen(listener: () => void): void {
    (this.#listeners ??= []).push(listener);
    if (this.#happened) listener();
  }

  announce(): void {
    this.#happened = true;
    this.#controller?.abort(clientGone());
    for (const listener of this.#listeners ?? []) listener();
  }
}

export function clientGone(): AbortError {
  return new AbortError('ERR_SCGI_CLIENT_GONE');
}
