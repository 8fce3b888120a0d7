// Which file a backend means with X-Sendfile or X-Accel-Redirect. Owns the rule that none outside of the given folders is
// ever found: neither by `..` nor by a symbolic link. Sends nothing.

import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, resolve, sep } from 'node:path';
import { LocalProtocolError } from '@scgi/core/protocol';

/** The path of the file that `name` stands for; undefined if there is none, or none that may be sent. */
export type FileFinder<Incoming> = (name: string, request: Incoming) => Promise<string | undefined>;

type Lookup<Incoming> = (
  name: string,
  request: Incoming,
) => string | null | undefined | Promise<string | null | undefined>;

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveSendfile<Incoming>(
  option: false | { readonly root: string } | Lookup<Incoming> | undefined,
): FileFinder<Incoming> | undefined {
  if (option === undefined || option === false) return undefined;
  if (typeof option === 'function') return fromLookup(option);
  const root = absolute('sendfile', option.root);
  return (name) => findBelow(root, resolve(root, name));
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveAccelRedirect<Incoming>(
  option: false | Readonly<Record<string, string>> | Lookup<Incoming> | undefined,
): FileFinder<Incoming> | undefined {
  if (option === undefined || option === false) return undefined;
  if (typeof option === 'function') return fromLookup(option);
  const places = Object.entries(option).map(([uri, folder]) => {
    if (uri.startsWith('/') && uri.endsWith('/')) return { uri, root: absolute('accelRedirect', folder) };
    throw refuse('accelRedirect', uri, "a place in the URI space begins and ends with '/'");
  });
  // The longest one wins, as with nginx's locations.
  places.sort((a, b) => b.uri.length - a.uri.length);
  return async (name) => {
    const path = decodePath(name);
    const place = places.find(({ uri }) => path?.startsWith(uri));
    if (place === undefined || path === undefined) return undefined;
    return findBelow(place.root, resolve(place.root, `./${path.slice(place.uri.length)}`));
  };
}

function fromLookup<Incoming>(lookup: Lookup<Incoming>): FileFinder<Incoming> {
  return async (name, request) => {
    const path = await lookup(name, request);
    return path === null || path === undefined ? undefined : resolve(path);
  };
}

/** The real path of a regular file; what a link leads to has to be below the folder as well. */
async function findBelow(root: string, path: string): Promise<string | undefined> {
  if (path.includes('\0') || !isBelow(root, path)) return undefined;
  try {
    const [realRoot, realFile] = await Promise.all([realpath(root), realpath(path)]);
    if (!isBelow(realRoot, realFile)) return undefined;
    return (await stat(realFile)).isFile() ? realFile : undefined;
  } catch {
    // It is not there, or we may not look: to the client that is the same, and onError is told of either.
    return undefined;
  }
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The path of an X-Accel-Redirect is a URI (nginx unescapes it); what follows `?` is not part of it. */
function decodePath(uri: string): string | undefined {
  const query = uri.indexOf('?');
  try {
    return decodeURIComponent(query === -1 ? uri : uri.slice(0, query));
  } catch {
    return undefined;
  }
}

function absolute(option: string, folder: unknown): string {
  if (typeof folder === 'string' && isAbsolute(folder)) return resolve(folder);
  throw refuse(option, String(folder), 'a folder needs its absolute path');
}

function refuse(option: string, value: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, value, problem });
}
