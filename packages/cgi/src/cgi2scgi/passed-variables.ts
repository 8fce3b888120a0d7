// Which variables of the environment a request consists of. What else a web server gives a program, and what the program
// has from elsewhere, PATH and secrets among it, is nobody's business but ours. Names only, no values.

// What Apache's suexec takes for the request's (support/suexec.c, safe_env_lst) without what server-side includes add.
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

/** Fields; mod_http2; mod_ssl and mod_openssl. Not all of SSL_: OpenSSL itself is configured by SSL_CERT_FILE. */
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

/** Apache, once it has gone on to another request: what the first one said, and why. */
const redirectPrefix = 'REDIRECT_';
const redirectNames: ReadonlySet<string> = new Set(['ERROR_NOTES', 'HANDLER', 'STATUS', 'URI', 'URL']);

/** CVE-2016-5385 and its kin; and what the encoder says itself. */
const neverPassed: ReadonlySet<string> = new Set(['HTTP_PROXY', 'CONTENT_LENGTH', 'SCGI']);

/**
 * Whether the variable of this name goes to the server.
 * @param further names of more variables; one that ends with `*` stands for all that begin so
 */
export function isPassed(name: string, further: readonly string[]): boolean {
  let original = name;
  while (original.startsWith(redirectPrefix)) original = original.slice(redirectPrefix.length);
  if (neverPassed.has(original.toUpperCase()) || neverPassed.has(name.toUpperCase())) return false;
  if (requestNames.has(original) || requestPrefixes.some((prefix) => original.startsWith(prefix))) return true;
  return (original !== name && redirectNames.has(original)) || further.some((pattern) => fits(name, pattern));
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
