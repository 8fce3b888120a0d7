// Whether the front end of a request sends a file by itself, and the field that tells it which one. Reads the file system
// only to see where the folders are that the front end has.

import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import {
  accelRedirectField,
  type AnsweredRequest,
  type FrontEnd,
  isApache,
  isLighttpd,
  isNginx,
} from '../env/index.js';
import { isBelow } from './below-folder.js';

/** An order to the front end. */
export interface HandOver {
  readonly field: string;
  /** Latin1, as fields are: one character for each octet. */
  readonly value: string;
  /** What the front end sees to by itself: everything; ranges too; or nothing, so only whole files are its. */
  readonly does: 'everything' | 'ranges' | 'whole files';
}

/** Undefined where the front end cannot have this file, as far as we were told and can see. @param path real: without links */
export async function handOverOf(request: AnsweredRequest, path: string): Promise<HandOver | undefined> {
  const { env, frontEnd } = request;
  // Checked first: the variables are made of the request when somebody asks for them.
  if (frontEnd.accelPlaces.length === 0 && frontEnd.sendfileRoots.length === 0) return undefined;
  // On Windows no front end could be told: what is below is about octets and slashes.
  if (env === undefined || sep !== '/' || hasControlCharacter(path)) return undefined;
  if (isNginx(env)) {
    const value = await accelUri(frontEnd, path);
    return value === undefined ? undefined : { field: accelRedirectField, value, does: 'everything' };
  }
  if (isApache(env)) {
    if (!(await isSent(frontEnd, path))) return undefined;
    // Measured: mod_proxy_scgi sends the file from its first byte to its last, whatever the request says.
    return { field: frontEnd.sendfileField, value: octets(path), does: 'whole files' };
  }
  if (isLighttpd(env)) {
    // lighttpd decodes the path (http_response_xsendfile), Apache does not.
    return (await isSent(frontEnd, path))
      ? { field: 'X-Sendfile', value: encodeSegments(path), does: 'ranges' }
      : undefined;
  }
  return undefined;
}

/** The URI of the file in the internal location of the deepest folder that holds it. */
async function accelUri({ accelPlaces }: FrontEnd, path: string): Promise<string | undefined> {
  let found: { readonly uri: string; readonly folder: string } | undefined;
  for (const { uri, folder } of accelPlaces) {
    const real = await realFolder(folder);
    if (real === undefined || !isBelow(real, path)) continue;
    if (found === undefined || real.length > found.folder.length) found = { uri, folder: real };
  }
  if (found === undefined) return undefined;
  const rest = path.slice(found.folder.length).replace(/^\//, '');
  return encodeSegments(found.uri) + encodeSegments(rest);
}

async function isSent({ sendfileRoots }: FrontEnd, path: string): Promise<boolean> {
  for (const folder of sendfileRoots) {
    const real = await realFolder(folder);
    if (real !== undefined && isBelow(real, path)) return true;
  }
  return false;
}

/** As it is now: folders may be replaced while we run. A folder that is not there has no files. */
function realFolder(folder: string): Promise<string | undefined> {
  return realpath(folder).catch(() => undefined);
}

function encodeSegments(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function octets(path: string): string {
  return Buffer.from(path).toString('latin1');
}

/** Such a name may exist, but not in a field. */
function hasControlCharacter(path: string): boolean {
  return /[^\x20-\x7e\x80-\u{10ffff}]/u.test(path);
}
