// Which of several entries a request belongs to: the one with the longest prefix that its path is below.
// Knows paths only, as clients write them: dot segments stand for nothing, as in Express and unlike in nginx.

import { splitBasePath } from '@scgi/core/env';
import { LocalProtocolError } from '@scgi/core/protocol';
import { checkPrefix } from '../arguments.js';

/** An entry and the mount point it is for: empty for '/'. */
export interface Route<Entry> {
  readonly prefix: string;
  readonly entry: Entry;
}

/** Where the path of a request leads. */
export interface RouteMatch<Entry> extends Route<Entry> {
  /** Path and query below the prefix, beginning with a slash, percent-encoded as they came. */
  readonly rest: string;
}

/** Entries by prefix. */
export class Routes<Entry, Value = unknown> {
  /** The longest prefix first. */
  readonly #routes: readonly Route<Entry>[];

  /**
   * @param values by prefix, as the option has them
   * @param make makes the entry of a value
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for a prefix that is none, or is there twice
   */
  constructor(option: string, values: Readonly<Record<string, Value>>, make: (prefix: string, value: Value) => Entry) {
    const routes = new Map<string, Route<Entry>>();
    for (const [key, value] of Object.entries(values)) {
      const prefix = checkPrefix(key);
      if (routes.has(prefix)) {
        throw new LocalProtocolError('ERR_SCGI_OPTION', { option, prefix: key, problem: 'the prefix is there twice' });
      }
      routes.set(prefix, { prefix, entry: make(prefix, value) });
    }
    this.#routes = [...routes.values()].toSorted((a, b) => b.prefix.length - a.prefix.length);
  }

  /** @param target of a request, in origin or absolute form, or `*` */
  find(target: string): RouteMatch<Entry> | undefined {
    const originForm = withoutAuthority(target);
    for (const { prefix, entry } of this.#routes) {
      const rest = splitBasePath(originForm, prefix);
      if (rest !== undefined) return { prefix, entry, rest };
    }
    return undefined;
  }
}

/** Path and query of a target; RFC 9112 §3.2.2 has every server accept `GET http://host/path`. */
function withoutAuthority(target: string): string {
  if (target.startsWith('/')) return target;
  const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]+/.exec(target);
  if (absolute === null) return target;
  const rest = target.slice(absolute[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
