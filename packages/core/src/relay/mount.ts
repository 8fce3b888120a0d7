// Where a middleware is mounted, by what a router has done to the request's url. Frameworks keep what the client sent in
// `originalUrl` and take the mount point off `url`; Express says in `baseUrl` what it took. Pure: knows strings only.

import { decodeBasePath, matchPath, splitAbsoluteForm } from '../env/index.js';

/** What a request says of its way through the routers; Node's own request has `url` alone. */
export interface RoutedRequest {
  readonly url: string;
  readonly originalUrl?: unknown;
  readonly baseUrl?: unknown;
}

/** The target that the backend is told, and where in its path the mount point ends. */
export interface MountedTarget {
  readonly target: string;
  readonly scriptNameLength: number;
}

/** A prefix below which requests are taken, besides where the router has mounted the middleware. */
export class Mount {
  readonly #prefix: string;
  readonly #decoded: string;

  /** @param prefix without a slash at its end; empty for everything */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.#decoded = decodeBasePath(prefix);
  }

  /** Undefined for a request that is not below the prefix. */
  locate(request: RoutedRequest): MountedTarget | undefined {
    const { url, originalUrl, baseUrl } = request;
    // An absolute form is rare: no browser sends it to a server that is not its proxy.
    if (url.charCodeAt(0) !== SLASH) return this.#locateAbsolute(request);
    const prefixLength = this.#measure(url);
    if (prefixLength === -1) return undefined;
    if (typeof baseUrl === 'string') return locateBelow(baseUrl, url, prefixLength, originalUrl);
    if (typeof originalUrl !== 'string' || originalUrl === url) return { target: url, scriptNameLength: prefixLength };
    const mountLength = strippedLength(originalUrl, url);
    // Rewritten, and nobody says where the router is mounted: the rewritten url is what the request is about.
    if (mountLength === -1) return { target: url, scriptNameLength: prefixLength };
    return { target: originalUrl, scriptNameLength: mountLength + prefixLength };
  }

  /** How long the prefix is as the url spells it, or -1 if the url is not below it. */
  #measure(url: string): number {
    const prefix = this.#prefix;
    if (prefix === '') return 0;
    if (url.startsWith(prefix) && endsSegment(url, prefix.length)) return prefix.length;
    return matchPath(url, this.#decoded);
  }

  #locateAbsolute(request: RoutedRequest): MountedTarget | undefined {
    const parts = splitAbsoluteForm(request.url);
    if (parts === undefined) {
      // `*` and what CONNECT asks for are below no prefix.
      return this.#prefix === '' ? { target: request.url, scriptNameLength: 0 } : undefined;
    }
    const { originalUrl, baseUrl } = request;
    const original =
      typeof originalUrl === 'string' ? (splitAbsoluteForm(originalUrl)?.target ?? originalUrl) : undefined;
    const located = this.locate({ url: parts.target, originalUrl: original, baseUrl });
    // The host that the absolute form names replaces the Host field, and only the form tells it.
    const scheme = request.url.slice(0, request.url.indexOf(':'));
    return located && { ...located, target: `${scheme}://${parts.authority}${located.target}` };
  }
}

const SLASH = 0x2f;

/** Express: `url` is what follows `baseUrl`, unless somebody has rewritten it. */
function locateBelow(baseUrl: string, url: string, prefixLength: number, originalUrl: unknown): MountedTarget {
  const scriptNameLength = baseUrl.length + prefixLength;
  if (baseUrl === '') return { target: url, scriptNameLength };
  // For `/api?q` Express makes `/?q` of the url. The backend is told what the client asked for.
  const bare = withoutSlash(url);
  if (bare !== undefined && originalUrl === baseUrl + bare) return { target: baseUrl + bare, scriptNameLength };
  return { target: baseUrl + url, scriptNameLength };
}

/** How much connect, and middie, have taken off the front; -1 if `url` is not what was left. */
function strippedLength(originalUrl: string, url: string): number {
  if (originalUrl.endsWith(url)) return originalUrl.length - url.length;
  const bare = withoutSlash(url);
  return bare !== undefined && originalUrl.endsWith(bare) ? originalUrl.length - bare.length : -1;
}

/** Routers put a slash before a url of which they have taken the whole path. */
function withoutSlash(url: string): string | undefined {
  return url.length === 1 || url.charCodeAt(1) === 0x3f ? url.slice(1) : undefined;
}

function endsSegment(url: string, at: number): boolean {
  if (at === url.length) return true;
  const next = url.charCodeAt(at);
  return next === SLASH || next === 0x3f || next === 0x23;
}

/**
 * The path of a local redirect as a target of the same backend; undefined if it is not below the same mount point, where
 * somebody else answers.
 */
export function locateRedirect(mounted: MountedTarget, path: string): MountedTarget | undefined {
  const origin = splitAbsoluteForm(mounted.target)?.target ?? mounted.target;
  const scriptNameLength = matchPath(path, decodeBasePath(origin.slice(0, mounted.scriptNameLength)));
  return scriptNameLength === -1 ? undefined : { target: path, scriptNameLength };
}
