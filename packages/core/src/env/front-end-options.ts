// What the front end does in the application's place: local redirects (RFC 3875 §6.2.2) and files. That it was told to do
// so shows in no request, so the operator says it; which front end has sent a request is looked at all the same, because an
// order that nobody understands is an empty page, and one that names a path of the disk shows it to the client.

import { LocalProtocolError } from '../protocol/errors.js';
import { isToken } from '../protocol/field-syntax.js';
import type { CgiEnv } from './variables.js';

/** What the front end was configured to do. A request of another front end is answered by the application itself. */
export interface FrontEndOptions {
  /**
   * The field with which an application makes the front end ask for another path: 'X-Accel-Redirect' for nginx; for Apache
   * 'Location' (`ProxySCGIInternalRedirect On`) or the name given to that directive. Default: none, the client is redirected.
   */
  readonly localRedirect?: string | undefined;
  /**
   * Folders below which Apache (`ProxySCGISendfile On`) or lighttpd (`x-sendfile`) sends the files that X-Sendfile names.
   * `field` is for a `ProxySCGISendfile` with another name. Default: none.
   */
  readonly sendfile?: { readonly root: string | readonly string[]; readonly field?: string | undefined } | undefined;
  /** Internal locations of nginx, and the folder behind each: `{ '/protected/': '/srv/files' }`. Default: none. */
  readonly accelRedirect?: Readonly<Record<string, string>> | undefined;
}

/** A place in the URI space of nginx and the folder behind it. */
export interface AccelPlace {
  /** Begins and ends with a slash. */
  readonly uri: string;
  readonly folder: string;
}

/** The options, checked and complete. */
export interface FrontEnd {
  readonly localRedirect: string | undefined;
  readonly sendfileRoots: readonly string[];
  readonly sendfileField: string;
  readonly accelPlaces: readonly AccelPlace[];
}

/** Does nothing for us: that of a request that did not come over SCGI, too. */
export const plainFrontEnd: FrontEnd = {
  localRedirect: undefined,
  sendfileRoots: [],
  sendfileField: 'X-Sendfile',
  accelPlaces: [],
};

/** nginx's one field for both. */
export const accelRedirectField = 'X-Accel-Redirect';

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveFrontEnd(options: FrontEndOptions | undefined): FrontEnd {
  if (options === undefined) return plainFrontEnd;
  const { localRedirect, sendfile, accelRedirect = {} } = options;
  return {
    localRedirect: localRedirect === undefined ? undefined : fieldName('localRedirect', localRedirect),
    sendfileRoots: [sendfile?.root ?? []].flat().map((root) => absoluteFolder('sendfile', root)),
    sendfileField: fieldName('sendfile', sendfile?.field ?? plainFrontEnd.sendfileField),
    accelPlaces: Object.entries(accelRedirect).map(([uri, folder]) => {
      if (!/^\/(?:[^/].*\/)?$/.test(uri)) throw refuse('accelRedirect', uri, "a location begins and ends with '/'");
      return { uri, folder: absoluteFolder('accelRedirect', folder) };
    }),
  };
}

/**
 * The field that makes the front end of this request follow a local redirect; undefined where it does not, as far as we
 * were told and can see.
 */
export function localRedirectField(frontEnd: FrontEnd, env: CgiEnv): string | undefined {
  const field = frontEnd.localRedirect;
  if (field === undefined) return undefined;
  const fits = isAccelRedirect(field) ? isNginx(env) : isApache(env);
  return fits ? field : undefined;
}

export function isAccelRedirect(field: string): boolean {
  return field.toLowerCase() === accelRedirectField.toLowerCase();
}

/** mod_proxy writes `proxy:` before SCRIPT_FILENAME, whatever ServerTokens makes of SERVER_SOFTWARE. */
export function isApache(env: CgiEnv): boolean {
  return env['SCRIPT_FILENAME']?.startsWith('proxy:') === true;
}

/**
 * nginx has no variable that names it, but DOCUMENT_URI in the parameters that come with it, which no other front end sends.
 * Our own gateway, which names itself in none either, has no DOCUMENT_URI.
 */
export function isNginx(env: CgiEnv): boolean {
  const software = env['SERVER_SOFTWARE'] ?? '';
  if (software !== '') return software.startsWith('nginx');
  return env['DOCUMENT_URI'] !== undefined && !isApache(env);
}

/** `server.tag` may hide it; then its files are sent by us. */
export function isLighttpd(env: CgiEnv): boolean {
  return env['SERVER_SOFTWARE']?.startsWith('lighttpd') === true;
}

function fieldName(option: string, name: unknown): string {
  if (typeof name === 'string' && isToken(name)) return name;
  throw refuse(option, String(name), 'this is no name of a field');
}

function absoluteFolder(option: string, folder: unknown): string {
  // Windows begins with a drive.
  if (typeof folder === 'string' && /^(?:\/|[A-Za-z]:[\\/])/.test(folder)) return folder;
  throw refuse(option, String(folder), 'a folder needs its absolute path');
}

function refuse(option: string, value: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option: `frontEnd.${option}`, value, problem });
}
