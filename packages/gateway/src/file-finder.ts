// Which file a backend means with X-Sendfile or X-Accel-Redirect, as the options have it: only ever one below the given
// folders, or what a function of the user says. Sends nothing.

import { isAbsolute, resolve } from 'node:path';
import { LocalProtocolError } from '@scgi/core/protocol';
import { entryBelow } from '@scgi/core/files';

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
  return (name) => fileBelow(root, name);
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
    return fileBelow(place.root, `./${path.slice(place.uri.length)}`);
  };
}

function fromLookup<Incoming>(lookup: Lookup<Incoming>): FileFinder<Incoming> {
  return async (name, request) => {
    const path = await lookup(name, request);
    return path === null || path === undefined ? undefined : resolve(path);
  };
}

/** The real path of a regular file. */
async function fileBelow(folder: string, path: string): Promise<string | undefined> {
  try {
    const entry = await entryBelow(folder, path);
    return entry?.kind === 'file' ? entry.path : undefined;
  } catch {
    // We may not look: to the client that is the same as a file that is not there, and onError is told of either.
    return undefined;
  }
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
