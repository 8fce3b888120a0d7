// The error classes, split by who is to blame, and the one catalogue of causes.
// A cause is a code, not a class: `docs/errors.md` lists the same rows and a test keeps both in step.
// Knows nothing of sockets or HTTP objects.

/** Who is at fault: decides the class of the error and who should act on it. */
export type Blame = 'remote' | 'local' | 'backend' | 'abort';

/** One row of the catalogue. */
export interface ErrorDefinition {
  readonly blame: Blame;
  /** HTTP status that fits as an answer to this error. */
  readonly statusHint: number;
  /** What happened and, where somebody can act on it, what to do. */
  readonly message: string;
}

/** Every error this suite raises, by code. */
// prettier-ignore
export const errorCatalogue = {
  // The SCGI client sent something wrong.
  ERR_SCGI_NETSTRING_LENGTH: { blame: 'remote', statusHint: 400, message: 'the request does not start with a netstring length' },
  ERR_SCGI_NETSTRING_TERMINATOR: { blame: 'remote', statusHint: 400, message: 'the request head does not end with a comma' },
  ERR_SCGI_HEAD_TOO_LARGE: { blame: 'remote', statusHint: 431, message: 'the request head is larger than maxHeadBytes' },
  ERR_SCGI_HEAD_NOT_TERMINATED: { blame: 'remote', statusHint: 400, message: 'the last string of the request head has no NUL' },
  ERR_SCGI_HEAD_ODD_STRINGS: { blame: 'remote', statusHint: 400, message: 'the request head has a name without a value' },
  ERR_SCGI_TOO_MANY_VARIABLES: { blame: 'remote', statusHint: 431, message: 'the request head has more variables than maxVariables' },
  ERR_SCGI_VARIABLE_NAME_EMPTY: { blame: 'remote', statusHint: 400, message: 'the request head has a variable without a name' },
  ERR_SCGI_DUPLICATE_VARIABLE: { blame: 'remote', statusHint: 400, message: 'the request head has a variable twice (strict)' },
  ERR_SCGI_VARIABLE_ORDER: { blame: 'remote', statusHint: 400, message: 'CONTENT_LENGTH is not the first variable (strict)' },
  ERR_SCGI_VERSION: { blame: 'remote', statusHint: 400, message: 'the variable SCGI is missing or not "1"' },
  ERR_SCGI_CONTENT_LENGTH: { blame: 'remote', statusHint: 400, message: 'CONTENT_LENGTH is missing, malformed or contradictory' },
  ERR_SCGI_BODY_TOO_LARGE: { blame: 'remote', statusHint: 413, message: 'the request body is larger than maxBodyBytes' },
  ERR_SCGI_PREMATURE_EOF: { blame: 'remote', statusHint: 400, message: 'the peer closed the connection inside a request' },
  ERR_SCGI_PLAIN_HTTP: { blame: 'remote', statusHint: 400, message: 'this port speaks SCGI, not HTTP: put a web server in front of it' },
  ERR_SCGI_TLS: { blame: 'remote', statusHint: 400, message: 'this port speaks SCGI, not TLS: end TLS in the web server' },
  ERR_SCGI_REQUEST_METHOD: { blame: 'remote', statusHint: 400, message: 'REQUEST_METHOD is missing or not a token' },
  ERR_SCGI_REQUEST_TARGET: { blame: 'remote', statusHint: 400, message: 'REQUEST_URI is missing or not a request target' },
  ERR_SCGI_REQUEST_FIELD: { blame: 'remote', statusHint: 400, message: 'an HTTP_* variable does not make a valid header field' },
  ERR_SCGI_HEAD_TIMEOUT: { blame: 'remote', statusHint: 408, message: 'the request head did not arrive within headersTimeout' },
  ERR_SCGI_REQUEST_TIMEOUT: { blame: 'remote', statusHint: 408, message: 'the request did not arrive within requestTimeout' },
  ERR_SCGI_IDLE_TIMEOUT: { blame: 'remote', statusHint: 408, message: 'the peer sent or took nothing for idleTimeout' },

  // An SCGI server that we call answered something wrong.
  ERR_SCGI_RESPONSE_EMPTY: { blame: 'remote', statusHint: 502, message: 'the backend closed the connection without an answer' },
  ERR_SCGI_RESPONSE_HEAD: { blame: 'remote', statusHint: 502, message: 'the response head is malformed' },
  ERR_SCGI_RESPONSE_HEAD_TOO_LARGE: { blame: 'remote', statusHint: 502, message: 'the response head is larger than maxHeadBytes' },
  ERR_SCGI_RESPONSE_STATUS: { blame: 'remote', statusHint: 502, message: 'the response status is not a number from 100 to 999' },
  ERR_SCGI_RESPONSE_CONTENT_LENGTH: { blame: 'remote', statusHint: 502, message: 'the response Content-Length is malformed or contradictory' },
  ERR_SCGI_RESPONSE_FRAMING: { blame: 'remote', statusHint: 502, message: 'the response uses Transfer-Encoding, which CGI does not have' },
  ERR_SCGI_RESPONSE_TOO_LARGE: { blame: 'remote', statusHint: 502, message: 'the response body is larger than maxResponseSize' },
  ERR_SCGI_REDIRECT_LOOP: { blame: 'remote', statusHint: 502, message: 'the backend answers with one local redirect after the other' },
  ERR_SCGI_GEMINI_REQUEST: { blame: 'remote', statusHint: 400, message: 'the Gemini request is not one gemini:// URL of at most 1024 bytes' },
  ERR_SCGI_GEMINI_RESPONSE: { blame: 'remote', statusHint: 502, message: 'the Gemini response does not start with two digits, a space, a meta line and CRLF' },
  ERR_SCGI_RESPONSE_TRUNCATED: { blame: 'remote', statusHint: 502, message: 'the response ended before its Content-Length' },

  // The application or the caller of this library is wrong.
  ERR_SCGI_STATE: { blame: 'local', statusHint: 500, message: 'the call does not fit the state of the connection' },
  ERR_SCGI_OPTION: { blame: 'local', statusHint: 500, message: 'an option has an impossible value' },
  ERR_SCGI_VARIABLE: { blame: 'local', statusHint: 500, message: 'a variable to send has an empty or repeated name, or holds a NUL or a non-latin1 character' },
  ERR_SCGI_RESPONSE_FIELD: { blame: 'local', statusHint: 500, message: 'a response field has an invalid name or value' },
  ERR_SCGI_STATUS_CODE: { blame: 'local', statusHint: 500, message: 'the status code is not an integer from 100 to 999' },
  ERR_SCGI_REDIRECT_PATH: { blame: 'local', statusHint: 500, message: 'a local redirect needs an absolute path of this server' },
  ERR_SCGI_LOCAL_REDIRECT_LOOP: { blame: 'local', statusHint: 500, message: 'the front end has followed one local redirect after the other' },
  ERR_SCGI_SENDFILE: { blame: 'local', statusHint: 500, message: 'the file to send cannot be read, or is not what it was any more' },
  ERR_SCGI_HANDLER_TIMEOUT: { blame: 'local', statusHint: 504, message: 'the application did not answer within handlerTimeout' },
  ERR_SCGI_BODY_USED: { blame: 'local', statusHint: 500, message: 'the response body was read already' },
  ERR_SCGI_BODY_LENGTH_MISMATCH: { blame: 'local', statusHint: 500, message: 'the body is not as long as its Content-Length' },
  ERR_SCGI_BODY_SOURCE: { blame: 'local', statusHint: 500, message: 'the request body could not be read from its source' },
  ERR_SCGI_SPOOL: { blame: 'local', statusHint: 500, message: 'the request body could not be kept in a temporary file' },
  ERR_SCGI_BIND: { blame: 'local', statusHint: 500, message: 'the bind address cannot be used' },
  ERR_SCGI_SOCKET_PATH: { blame: 'local', statusHint: 500, message: 'the Unix socket cannot be created at this path' },
  ERR_SCGI_SOCKET_IN_USE: { blame: 'local', statusHint: 500, message: 'another process listens on this Unix socket' },
  ERR_SCGI_ALLOW_FROM: { blame: 'local', statusHint: 500, message: 'a bind beyond loopback needs allowFrom: anyone who can connect can forge REMOTE_USER' },

  // The gateway's backend cannot be reached.
  ERR_SCGI_BACKEND_UNREACHABLE: { blame: 'backend', statusHint: 502, message: 'no connection to the SCGI backend' },
  ERR_SCGI_BACKEND_RESET: { blame: 'backend', statusHint: 502, message: 'the SCGI backend broke the connection' },
  ERR_SCGI_BACKEND_TIMEOUT: { blame: 'backend', statusHint: 504, message: 'the SCGI backend did not answer in time' },
  ERR_SCGI_BACKEND_BUSY: { blame: 'backend', statusHint: 503, message: 'no connection to the SCGI backend is free' },
  ERR_SCGI_FILE_NOT_FOUND: { blame: 'backend', statusHint: 404, message: 'the SCGI backend names a file to send that is not there, or that must not be sent' },
  ERR_SCGI_LENGTH_REQUIRED: { blame: 'backend', statusHint: 411, message: 'the request body has no length and is too large to hold back' },

  // A CGI program that we run, or are.
  ERR_SCGI_PROGRAM_NOT_FOUND: { blame: 'backend', statusHint: 404, message: 'there is no CGI program at this path' },
  ERR_SCGI_PROGRAM_FORBIDDEN: { blame: 'backend', statusHint: 403, message: 'what lies at this path must not be run as a CGI program' },
  ERR_SCGI_PROGRAM_START: { blame: 'backend', statusHint: 500, message: 'the CGI program could not be started' },
  ERR_SCGI_PROGRAM_TIMEOUT: { blame: 'backend', statusHint: 504, message: 'the CGI program did not end, or do anything, in time' },
  ERR_SCGI_PROGRAM_FAILED: { blame: 'local', statusHint: 500, message: 'the function in the place of a CGI program failed' },
  ERR_SCGI_NOT_CGI: { blame: 'local', statusHint: 500, message: 'this is not the environment of a CGI program' },
  ERR_SCGI_PROGRAM_DIED: { blame: 'backend', statusHint: 502, message: 'a signal ended the CGI program before its answer was complete' },

  // The peer left; nobody is wrong.
  ERR_SCGI_CLIENT_GONE: { blame: 'abort', statusHint: 499, message: 'the client closed the connection before the response was complete' },
  ERR_SCGI_CLIENT_CLOSED: { blame: 'abort', statusHint: 503, message: 'the SCGI client is closed' },
  ERR_SCGI_SERVER_CLOSING: { blame: 'abort', statusHint: 503, message: 'the server is shutting down' },
} as const;

/** A code of the catalogue: `ERR_SCGI_…`. */
export type ScgiErrorCode = keyof typeof errorCatalogue;

/** The offending facts: short values only, never a whole payload. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>;

/** Base of every error of this suite: a `code`, a fitting HTTP status, the offending facts, perhaps a `cause`. */
export class ScgiError extends Error {
  override readonly name: string = 'ScgiError';
  readonly code: ScgiErrorCode;
  /** HTTP status that fits as an answer. */
  readonly statusHint: number;
  readonly details: ErrorDetails;

  constructor(code: ScgiErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const definition: ErrorDefinition = errorCatalogue[code];
    super(describe(definition.message, details), options);
    this.code = code;
    this.statusHint = definition.statusHint;
    this.details = details;
  }
}

/** The peer sent something that breaks the protocol or a limit. */
export class RemoteProtocolError extends ScgiError {
  override readonly name: string = 'RemoteProtocolError';
}

/** Our own application or caller asked for something impossible. */
export class LocalProtocolError extends ScgiError {
  override readonly name: string = 'LocalProtocolError';
}

/** A backend that we call is missing, silent or gone. */
export class BackendError extends ScgiError {
  override readonly name: string = 'BackendError';
}

/** The peer left, or the server is closing: the work is no longer wanted. Named as the DOM names it. */
export class AbortError extends ScgiError {
  override readonly name: string = 'AbortError';
}

function describe(message: string, details: ErrorDetails): string {
  const facts = Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return facts.length === 0 ? message : `${message} (${facts.join(', ')})`;
}
