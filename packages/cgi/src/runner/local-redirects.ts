// The chain of local redirects (RFC 3875 §6.2.2) that one request may take through programs: where it leads, where it came
// from, and that it ends.

import { RemoteProtocolError } from '@scgi/core/protocol';
import { locateRedirect, type MountedTarget } from '@scgi/core/relay';
import type { RedirectOrigin } from './environment.js';

export class LocalRedirects {
  readonly #most: number;
  #count: number;
  #origin: RedirectOrigin | undefined;

  /** @param most how many to follow */
  constructor(most: number) {
    this.#most = most;
    this.#count = 0;
    this.#origin = undefined;
  }

  /** What the client asked for, once a redirect was followed. */
  get origin(): RedirectOrigin | undefined {
    return this.#origin;
  }

  /**
   * Where a redirect leads; undefined for a path that is not below the mount point, where somebody else answers.
   * @throws {RemoteProtocolError} ERR_SCGI_REDIRECT_LOOP
   */
  follow(from: MountedTarget, method: string, location: string): MountedTarget | undefined {
    const mounted = locateRedirect(from, location);
    if (mounted === undefined) return undefined;
    if (this.#count >= this.#most) throw new RemoteProtocolError('ERR_SCGI_REDIRECT_LOOP', { redirects: this.#count });
    this.#count += 1;
    this.#origin ??= originOf(from.target, method);
    return mounted;
  }
}

function originOf(target: string, method: string): RedirectOrigin {
  const query = target.indexOf('?');
  if (query === -1) return { url: target, query: '', method };
  return { url: target.slice(0, query), query: target.slice(query + 1), method };
}
