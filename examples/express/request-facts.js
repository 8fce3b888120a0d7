/**
 * Sorts what is known about a request by who says so. The only module that reads `req.scgi`, and it copes
 * without: over plain HTTP there is nobody to vouch for anything but the socket.
 */

// Variables whose value the client chose, though they carry no HTTP_ prefix (RFC 3875 §4.1): the request line,
// what servers derive from its path, and the description of the body. Parsed by the web server, not vouched for.
const chosenByClient = new Set([
  'CONTENT_LENGTH',
  'CONTENT_TYPE',
  'DOCUMENT_URI',
  'PATH_INFO',
  'PATH_TRANSLATED',
  'QUERY_STRING',
  'REQUEST_METHOD',
  'REQUEST_URI',
  'SCRIPT_FILENAME',
  'SCRIPT_NAME', // from nginx the configured mount point, but Apache puts the path of the URL here
  'SCRIPT_URI',
  'SCRIPT_URL',
  'SERVER_PROTOCOL',
  'SSL_TLS_SNI',
]);

// Shown to their owner only as a length: a page that repeats them hands HttpOnly cookies to scripts.
const secrets = new Set(['cookie', 'authorization', 'proxy-authorization']);

/**
 * @typedef {[name: string, value: string]} Fact
 * @typedef {object} RequestFacts
 * @property {boolean} overScgi
 * @property {Fact[]} vouched  Variables the web server set from its own knowledge. Empty over plain HTTP.
 * @property {Fact[]} asked    The request line and body description, as the client chose them.
 * @property {Fact[]} headers  `req.headers`.
 * @property {Record<string, unknown>} express  What Express concludes.
 */

/**
 * @param {import('express').Request} req
 * @returns {RequestFacts}
 */
export function requestFacts(req) {
  const env = Object.entries(req.scgi?.env ?? {}).filter(([name]) => !name.startsWith('HTTP_'));
  return {
    overScgi: req.scgi !== undefined,
    vouched: env.filter(([name]) => !chosenByClient.has(name)),
    asked: req.scgi ? env.filter(([name]) => chosenByClient.has(name)) : requestLine(req),
    headers: Object.entries(req.headers).map(([name, value]) => [name, masked(name, String(value))]),
    express: {
      ip: req.ip,
      protocol: req.protocol,
      secure: req.secure,
      hostname: req.hostname,
      originalUrl: req.originalUrl,
      baseUrl: req.baseUrl,
    },
  };
}

/**
 * The same names as over SCGI, so that the page reads alike.
 * @param {import('express').Request} req
 * @returns {Fact[]}
 */
function requestLine(req) {
  return [
    ['REQUEST_METHOD', req.method],
    ['REQUEST_URI', req.originalUrl],
    ['SERVER_PROTOCOL', `HTTP/${req.httpVersion}`],
  ];
}

/**
 * @param {string} name
 * @param {string} value
 */
function masked(name, value) {
  return secrets.has(name) ? `(hidden: ${value.length} characters)` : value;
}
