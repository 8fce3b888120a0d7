// The environment of a program (RFC 3875 §4.1): made from nothing, out of what the request says, what the front end vouches
// for and what belongs to the program. Pure; names and values in turn, octets.

import { readFileSync } from 'node:fs';
import type { HttpRequestFacts } from '@scgi/core/env';
import { variablesFromHttp } from '@scgi/core/env';
import { packageFolder } from '../package-folder.js';

/** What is the same for every request. */
export interface EnvironmentSettings {
  /** PATH. */
  readonly searchPath: string;
  /** Whether programs see HTTP_AUTHORIZATION, which may hold a password. */
  readonly passAuthorization: boolean;
  /** Further names of variables that a program gets from the front end; `X_*` for all that begin so. */
  readonly vouched: readonly string[];
}

/** Where a local redirect comes from. */
export interface RedirectOrigin {
  /** The path whose program has redirected, decoded. */
  readonly url: string;
  readonly query: string;
  readonly method: string;
  /** What the client has asked for, before the first redirect. */
  readonly requestUri: string;
}

/** What a program is told of itself. Octets; what is undefined it is not told. */
export interface EnvironmentProgram {
  readonly file: string | undefined;
  readonly scriptName: string;
  /** Empty for none. */
  readonly pathInfo: string;
  readonly documentRoot: string | undefined;
  readonly interpreter: readonly string[] | undefined;
}

/** What one run is about. */
export interface EnvironmentFacts {
  readonly facts: HttpRequestFacts;
  /** What the front end has sent beside the request's own; undefined where the request did not come over SCGI. */
  readonly scgiEnv: Readonly<Record<string, string | undefined>> | undefined;
  readonly program: EnvironmentProgram;
  /** What Content-Length says; undefined without one. */
  readonly contentLength: number | undefined;
  readonly redirectedFrom: RedirectOrigin | undefined;
}

// Apache's suexec passes these and no others (support/suexec.c, safe_env_lst): a front end's LD_PRELOAD or PERL5OPT, or that
// of anybody who can connect to our address, must not become a program's.
const vouchedNames: ReadonlySet<string> = new Set([
  'AUTH_TYPE',
  'HTTPS',
  'QUERY_STRING_UNESCAPED',
  'REMOTE_ADDR',
  'REMOTE_HOST',
  'REMOTE_IDENT',
  'REMOTE_PORT',
  'REMOTE_USER',
  'REQUEST_SCHEME',
  'SCRIPT_URI',
  'SCRIPT_URL',
  'SERVER_ADDR',
  'SERVER_ADMIN',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'SERVER_SIGNATURE',
  'SERVER_SOFTWARE',
  'TZ',
  'UNIQUE_ID',
]);
// But for those two by which OpenSSL in the program is told whom to trust.
const vouchedPrefixes = /^(?:SSL_(?!CERT_(?:DIR|FILE)$)|TLS_)/;
const identifier = /^[A-Z_][A-Z0-9_]*$/i;

/** What is known here, of the request and of the program: nobody else has a say in it, whatever `passVariables` names. */
const ownNames: ReadonlySet<string> = new Set([
  'CONTENT_LENGTH',
  'CONTENT_TYPE',
  'DOCUMENT_ROOT',
  'GATEWAY_INTERFACE',
  'PATH',
  'PATH_INFO',
  'PATH_TRANSLATED',
  'QUERY_STRING',
  'REQUEST_METHOD',
  'REQUEST_URI',
  'SCGI',
  'SCRIPT_FILENAME',
  'SCRIPT_NAME',
]);

/** SERVER_SOFTWARE where the front end does not say what it is. */
const ownSoftware = `scgi-cgi/${ownVersion()}`;

/**
 * @throws {ScgiError} as `variablesFromHttp`
 */
export function environmentOf(request: EnvironmentFacts, settings: EnvironmentSettings): string[] {
  const { program, contentLength, redirectedFrom } = request;
  const env = new Map<string, string>([['PATH', settings.searchPath]]);
  setFlat(env, variablesFromHttp(request.facts));
  // An encoder's way to tell a length of 0 from none; programs have CONTENT_LENGTH for that.
  env.delete('HTTP_CONTENT_LENGTH');
  if (!settings.passAuthorization) {
    // RFC 3875 §4.1.18: a server should leave them out; Apache does unless CGIPassAuth is on.
    env.delete('HTTP_AUTHORIZATION');
    env.delete('HTTP_PROXY_AUTHORIZATION');
  }
  env.set('SERVER_SOFTWARE', ownSoftware);
  setVouched(env, request.scgiEnv ?? {}, settings.vouched);
  if (request.facts.serverName !== undefined) env.set('SERVER_NAME', request.facts.serverName);
  setProgram(env, program);
  // RFC 3875 §4.1.2: set if and only if a body is attached. Apache sets it for a length of 0 too, as the client sent it.
  if (contentLength !== undefined) env.set('CONTENT_LENGTH', String(contentLength));
  if (redirectedFrom !== undefined) setOrigin(env, redirectedFrom);
  return [...env].flat();
}

function setFlat(env: Map<string, string>, variables: readonly string[]): void {
  for (let index = 0; index < variables.length; index += 2) env.set(variables[index] ?? '', variables[index + 1] ?? '');
}

function setVouched(
  env: Map<string, string>,
  scgiEnv: Readonly<Record<string, string | undefined>>,
  further: readonly string[],
): void {
  for (const [name, value] of Object.entries(scgiEnv)) {
    // nginx sends an empty SERVER_NAME, and an empty REMOTE_PORT for a client on a Unix socket.
    if (value !== undefined && value !== '' && isVouched(name, further)) env.set(name, value);
  }
}

/** Whether a front end has no say in a variable, or in those that begin so. */
export function isOwnName(name: string): boolean {
  // HTTP_* in any spelling: curl and its kin read http_proxy (CVE-2016-5385).
  return ownNames.has(name) || /^http_/i.test(name);
}

function isVouched(name: string, further: readonly string[]): boolean {
  if (!identifier.test(name) || isOwnName(name)) return false;
  return vouchedNames.has(name) || vouchedPrefixes.test(name) || isNamed(name, further);
}

function isNamed(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

function setProgram(env: Map<string, string>, program: EnvironmentProgram): void {
  const { file, scriptName, pathInfo, documentRoot } = program;
  env.set('GATEWAY_INTERFACE', 'CGI/1.1');
  env.set('SCRIPT_NAME', scriptName);
  if (documentRoot !== undefined) env.set('DOCUMENT_ROOT', documentRoot);
  if (file !== undefined) env.set('SCRIPT_FILENAME', file);
  env.delete('PATH_INFO');
  if (pathInfo !== '') env.set('PATH_INFO', pathInfo);
  // RFC 3875 §4.1.6: as if PATH_INFO were the path of a document of its own.
  if (pathInfo !== '' && documentRoot !== undefined) {
    env.set('PATH_TRANSLATED', documentRoot.replace(/\/$/, '') + pathInfo);
  }
  // php-cgi runs no script without it: so it knows that a web server has called it (cgi.force_redirect).
  if (program.interpreter !== undefined) env.set('REDIRECT_STATUS', '200');
}

/** What Apache gives the program that a local redirect leads to. */
function setOrigin(env: Map<string, string>, origin: RedirectOrigin): void {
  env.set('REDIRECT_STATUS', '200');
  env.set('REDIRECT_URL', origin.url);
  env.set('REDIRECT_QUERY_STRING', origin.query);
  env.set('REDIRECT_REQUEST_METHOD', origin.method);
  env.set('REQUEST_URI', origin.requestUri);
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', packageFolder), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
