// The chain of local redirects (RFC 3875 §6.2.2) that one request may take through programs: where it leads, where it came
// from, and that it ends.

import { decodePath, splitAbsoluteForm } from '@scgi/core/env';
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

  /** What has led to the program that is asked now, once a redirect was followed. */
  get origin(): RedirectOrigin | undefined {
    return this.#origin;
  }

  /**
   * Where a redirect leads; undefined for a path that is not below the mount point, where somebody else answers.
   * @throws {RemoteProtocolError} ERR_SCGI_REDIRECT_LOOP
   */
  follow(from: MountedTarget, method: string, location: string): MountedTarget | undefined {
    // Old programs write spaces where an escape belongs, and Apache takes them.
    const mounted = locateRedirect(from, location.replace(/[\t ]/g, encodeURIComponent));
    if (mounted === undefined) return undefined;
    if (this.#count >= this.#most) throw new RemoteProtocolError('ERR_SCGI_REDIRECT_LOOP', { redirects: this.#count });
    this.#count += 1;
    const target = splitAbsoluteForm(from.target)?.target ?? from.target;
    this.#origin = { ...splitTarget(target), ...this.#first(target, method) };
    return mounted;
  }

  /** Only the first program was asked what the client has asked; the next one gets a GET, or a HEAD. */
  #first(target: string, method: string): Pick<RedirectOrigin, 'requestUri' | 'method'> {
    if (this.#origin === undefined) return { requestUri: target, method };
    return { requestUri: this.#origin.requestUri, method: method === 'HEAD' ? method : 'GET' };
  }
}

/** The path is decoded, as Apache has it. */
function splitTarget(target: string): Pick<RedirectOrigin, 'url' | 'query'> {
  const query = target.indexOf('?');
  return query === -1
    ? { url: decodePath(target), query: '' }
    : { url: decodePath(target.slice(0, query)), query: target.slice(query + 1) };
}
