// Which paths of a URL are taken at all. Web servers resolve `.`, `..` and `//` before they look for a program, but
// REQUEST_URI has them still; programs that open files by PATH_INFO trust that they are gone.

import { sep } from 'node:path';

/**
 * Whether a path holds nothing but plain segments. Empty ones, of `//`, are a matter of merging.
 * @param path decoded
 * @param encodedPath as the client has sent it: shows which slashes were encoded
 * @param allowsEncodedSlashes `%2F` passes for a slash; Apache answers 404 unless AllowEncodedSlashes is on
 */
export function isPlainPath(path: string, encodedPath: string, allowsEncodedSlashes: boolean): boolean {
  if (path.includes('\0')) return false;
  // `OPTIONS *`: behind the name of a folder it would make the name of a neighbour.
  if (path !== '' && !path.startsWith('/')) return false;
  if (!allowsEncodedSlashes && /%2f/i.test(encodedPath)) return false;
  if (sep === '\\' && path.includes(sep)) return false;
  return !/(?:^|\/)\.{1,2}(?:\/|$)/.test(path);
}

/** `//` is `/`, as Apache's MergeSlashes and nginx's merge_slashes have it. */
export function mergeSlashes(path: string): string {
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}
