// Which handler a path belongs to: mounts by the longest prefix of whole segments, then routes by the whole path.
// Paths are compared decoded, segment by segment: an escaped slash separates nothing.

import { LocalProtocolError } from '@scgi/core';
import type { GeminiHandler } from './handler.js';

/** A handler, and how many segments of the path are its mount point. */
export interface Found {
  readonly handler: GeminiHandler;
  readonly depth: number;
}

export class Router {
  readonly #routes: Map<string, GeminiHandler> = new Map();
  readonly #mounts: Map<string, GeminiHandler> = new Map();

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for what is no path, or is taken */
  addRoute(path: string, handler: GeminiHandler): void {
    add(this.#routes, path, splitPath(path), handler);
  }

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for what is no path, or is taken */
  addMount(prefix: string, handler: GeminiHandler): void {
    const segments = splitPath(prefix);
    if (segments.at(-1) === '') segments.pop();
    add(this.#mounts, prefix, segments, handler);
  }

  find(segments: readonly string[]): Found | undefined {
    for (let depth = this.#mounts.size === 0 ? -1 : segments.length; depth >= 0; depth -= 1) {
      const handler = this.#mounts.get(keyOf(segments.slice(0, depth)));
      if (handler !== undefined) return { handler, depth };
    }
    // The mount point of an application that is mounted itself is its root.
    const handler = this.#routes.get(keyOf(segments.length === 0 ? [''] : segments));
    return handler === undefined ? undefined : { handler, depth: 0 };
  }
}

function add(
  table: Map<string, GeminiHandler>,
  path: string,
  segments: readonly string[],
  handler: GeminiHandler,
): void {
  const key = keyOf(segments);
  if (table.has(key)) throw new LocalProtocolError('ERR_SCGI_OPTION', { path, fault: 'it has a handler already' });
  table.set(key, handler);
}

/** No segment has a NUL in it. */
function keyOf(segments: readonly string[]): string {
  return segments.length === 0 ? '' : `\0${segments.join('\0')}`;
}

function splitPath(path: string): string[] {
  if (!path.startsWith('/') || /[\p{Cc}?#]/u.test(path)) {
    throw new LocalProtocolError('ERR_SCGI_OPTION', { path, remedy: 'write a path such as /about, not escaped' });
  }
  return path.slice(1).split('/');
}
