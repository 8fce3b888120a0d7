// Which variables of a process's environment belong to the request that it was started for. The others are the
// process's own, and may hold secrets: they never get into a request. Knows names only.

/** RFC 3875 §4.1, and what Apache and lighttpd put beside it. */
const requestNames: ReadonlySet<string> = new Set([
  'AUTH_TYPE',
  'CONTEXT_DOCUMENT_ROOT',
  'CONTEXT_PREFIX',
  'CONTENT_LENGTH',
  'CONTENT_TYPE',
  'DOCUMENT_ROOT',
  'DOCUMENT_URI',
  'GATEWAY_INTERFACE',
  'H2PUSH',
  'HTTP2',
  'HTTPS',
  'PATH_INFO',
  'PATH_TRANSLATED',
  'QUERY_STRING',
  'REQUEST_METHOD',
  'REQUEST_SCHEME',
  'REQUEST_URI',
  'SCRIPT_FILENAME',
  'SCRIPT_NAME',
  'SCRIPT_URI',
  'SCRIPT_URL',
  'SERVER_ADDR',
  'SERVER_ADMIN',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'SERVER_SIGNATURE',
  'SERVER_SOFTWARE',
  'UNIQUE_ID',
]);

/** The client's fields; and what modules of the web servers say, more than can be listed: of TLS, of who the client is. */
const requestPrefixes: readonly string[] = ['AUTHENTICATE_', 'AUTHORIZE_', 'GEOIP_', 'H2_', 'HTTP_', 'REMOTE_', 'SSL_'];

const REDIRECT = 'REDIRECT_';
/** What Apache adds to the names that it has given this prefix. */
const redirectNames: ReadonlySet<string> = new Set(['ERROR_NOTES', 'HANDLER', 'STATUS', 'URI', 'URL']);

/** For the TLS library of the process, in which Node.js and others look for certificates. */
const ownNames: ReadonlySet<string> = new Set(['SSL_CERT_DIR', 'SSL_CERT_FILE']);

/** Decides it for one program. */
export class CgiVariables {
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  /** @param more names beside the known ones; `OIDC_*` is all that begin with `OIDC_` */
  constructor(more: readonly string[] = []) {
    this.#names = new Set(more.filter((name) => !name.endsWith('*')));
    const prefixes = more.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
    this.#prefixes = [...requestPrefixes, ...prefixes];
  }

  /** Whether the variable is one of the request's. Never true for HTTP_PROXY (httpoxy, CVE-2016-5385). */
  includes(name: string): boolean {
    let bare = name;
    // Apache puts one before all names with each redirect inside of it.
    while (bare.startsWith(REDIRECT)) bare = bare.slice(REDIRECT.length);
    if (bare === 'HTTP_PROXY' || ownNames.has(bare)) return false;
    if (bare !== name && redirectNames.has(bare)) return true;
    return this.#has(bare) || this.#has(name);
  }

  #has(name: string): boolean {
    if (requestNames.has(name) || this.#names.has(name)) return true;
    return this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}
