// Which variables of a process's environment belong to the request that it was started for, as a CGI program. The others
// are the process's own, PATH and secrets among them: they never get into a request. Knows names only.

// What Apache's suexec takes for the request's (support/suexec.c, safe_env_lst) without what server-side includes add; and
// without CONTENT_LENGTH, which is told anew by who has counted.
const requestNames: ReadonlySet<string> = new Set([
  'AUTH_TYPE',
  'CONTENT_TYPE',
  'CONTEXT_DOCUMENT_ROOT',
  'CONTEXT_PREFIX',
  'DOCUMENT_ROOT',
  'DOCUMENT_URI',
  'GATEWAY_INTERFACE',
  'H2PUSH',
  'HTTP2',
  'HTTPS',
  'PATH_INFO',
  'PATH_TRANSLATED',
  'QUERY_STRING',
  'REMOTE_ADDR',
  'REMOTE_HOST',
  'REMOTE_IDENT',
  'REMOTE_PORT',
  'REMOTE_USER',
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

// Fields; mod_http2; mod_ssl and mod_openssl. Not all of SSL_: OpenSSL itself is configured by SSL_CERT_FILE.
const requestPrefixes: readonly string[] = [
  'HTTP_',
  'H2_',
  'SSL_CIPHER',
  'SSL_CLIENT_',
  'SSL_COMPRESS_',
  'SSL_PROTOCOL',
  'SSL_SECURE_RENEG',
  'SSL_SERVER_',
  'SSL_SESSION',
  'SSL_SRP_USER',
  'SSL_TLS_SNI',
  'SSL_VERSION_',
];

const REDIRECT = 'REDIRECT_';
/** What Apache adds to the names that it has given this prefix: why it has gone on to another request. */
const redirectNames: ReadonlySet<string> = new Set(['ERROR_NOTES', 'HANDLER', 'STATUS', 'URI', 'URL']);

/** What whoever encodes a request says himself. */
const encodersNames: ReadonlySet<string> = new Set(['CONTENT_LENGTH', 'SCGI']);

/** Decides it for one program. */
export class ProcessVariables {
  readonly #names: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  /** @param more names beside the known ones; `OIDC_*` is all that begin with `OIDC_` */
  constructor(more: readonly string[] = []) {
    this.#names = new Set(more.filter((name) => !name.endsWith('*')));
    const prefixes = more.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
    this.#prefixes = [...requestPrefixes, ...prefixes];
  }

  /** Whether the variable is one of the request's. Never true for HTTP_PROXY (httpoxy, CVE-2016-5385), CONTENT_LENGTH and SCGI. */
  includes(name: string): boolean {
    let bare = name;
    // Apache puts one before all names with each redirect inside of it.
    while (bare.startsWith(REDIRECT)) bare = bare.slice(REDIRECT.length);
    const upper = bare.toUpperCase();
    if (upper === 'HTTP_PROXY' || encodersNames.has(upper)) return false;
    if (bare !== name && redirectNames.has(bare)) return true;
    return this.#has(bare) || this.#has(name);
  }

  #has(name: string): boolean {
    if (requestNames.has(name) || this.#names.has(name)) return true;
    return this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}
