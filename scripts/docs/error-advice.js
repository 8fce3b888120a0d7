// What to do about each error, for docs/errors.md. The meaning of a code is in the catalogue of packages/core, not here.

/** @type {Readonly<Record<import('@scgi/core').ScgiErrorCode, string>>} */
export const adviceByCode = {
  ERR_SCGI_NETSTRING_LENGTH:
    'Something else than SCGI speaks to this address: in nginx look for `uwsgi_pass` where `scgi_pass` is meant.',
  ERR_SCGI_NETSTRING_TERMINATOR:
    'The client counts its head wrongly: the length is in bytes, not characters, and includes every NUL.',
  ERR_SCGI_HEAD_TOO_LARGE:
    'Raise `maxHeadBytes` above what the front end lets clients send (nginx: `large_client_header_buffers`).',
  ERR_SCGI_HEAD_NOT_TERMINATED: 'The client must end every name and every value with a NUL, the last one too.',
  ERR_SCGI_HEAD_ODD_STRINGS: 'The client must send names and values in pairs; an empty value still has its NUL.',
  ERR_SCGI_TOO_MANY_VARIABLES: 'Raise `maxVariables`, or configure the front end to accept fewer header fields.',
  ERR_SCGI_VARIABLE_NAME_EMPTY: 'Mend the client, or the `scgi_param` line that has an empty name.',
  ERR_SCGI_DUPLICATE_VARIABLE:
    'Turn `strict` off behind a real front end: nginx sends a name twice when a `scgi_param` follows an `include`.',
  ERR_SCGI_VARIABLE_ORDER: 'Turn `strict` off, or let the client send CONTENT_LENGTH first.',
  ERR_SCGI_VERSION: 'In nginx add `include scgi_params;` to the location. For a hand-made client set `lax`.',
  ERR_SCGI_CONTENT_LENGTH:
    'See the [body length rule](protocol-support.md#the-length-of-the-body). A client without one needs `lax`.',
  ERR_SCGI_BODY_TOO_LARGE: 'Raise `maxBodyBytes`, or refuse such bodies earlier (nginx: `client_max_body_size`).',
  ERR_SCGI_PREMATURE_EOF: 'Usually the browser left during an upload that the front end streams: nothing to mend.',
  ERR_SCGI_PLAIN_HTTP:
    'Open the address of the web server, not this one. In nginx use `scgi_pass` instead of `proxy_pass`.',
  ERR_SCGI_TLS: 'Let the web server end TLS; the connection to this address is plain.',
  ERR_SCGI_REQUEST_METHOD: 'In nginx add `include scgi_params;` to the location; a client must send REQUEST_METHOD.',
  ERR_SCGI_REQUEST_TARGET: 'Send REQUEST_URI as the client sent it: a path with its query, no blanks.',
  ERR_SCGI_REQUEST_FIELD: 'The front end let a line break, a control character or an odd name through: look there.',
  ERR_SCGI_HEAD_TIMEOUT: 'Raise `headersTimeout` only if the front end is slow to write; idle probes end here too.',
  ERR_SCGI_REQUEST_TIMEOUT: 'Raise `requestTimeout`, or set 0, where large uploads are streamed to the application.',
  ERR_SCGI_IDLE_TIMEOUT: 'A client stalled. Raise `idleTimeout` where such clients must be waited for.',

  ERR_SCGI_RESPONSE_EMPTY: 'Look into the log of the backend: it closed the connection, perhaps it crashed.',
  ERR_SCGI_RESPONSE_HEAD: 'The backend must print header fields, an empty line, then the body: `details` has the line.',
  ERR_SCGI_RESPONSE_HEAD_TOO_LARGE: 'Raise `maxHeadBytes` (a line: `maxLineBytes`), or let the backend send less.',
  ERR_SCGI_RESPONSE_STATUS: 'The backend must send `Status: 200 OK`: three digits, then perhaps a phrase.',
  ERR_SCGI_RESPONSE_CONTENT_LENGTH: 'The backend must send one Content-Length in digits, or none.',
  ERR_SCGI_RESPONSE_FRAMING: 'Switch chunked coding off in the backend: over CGI the body ends with the connection.',
  ERR_SCGI_RESPONSE_TOO_LARGE: 'Raise `maxResponseSize`, or set `null` where bodies are streamed on and never held.',
  ERR_SCGI_REDIRECT_LOOP: 'Look at the `Location` fields of the backend: two of its pages send to each other.',
  ERR_SCGI_GEMINI_REQUEST: 'A client that speaks something else, or an URL longer than Gemini allows: nothing to mend.',
  ERR_SCGI_GEMINI_RESPONSE:
    'The backend must print `20 text/gemini`, CRLF, then the body; an HTTP backend prints neither.',
  ERR_SCGI_RESPONSE_TRUNCATED: 'Look into the log of the backend: it stopped inside the body.',

  ERR_SCGI_STATE: 'Do not feed a decoder after `receiveEof()`.',
  ERR_SCGI_OPTION: 'Mend the option that `details` names. `strict` and `lax` exclude each other.',
  ERR_SCGI_VARIABLE: 'Encode the value first; leave CONTENT_LENGTH and SCGI to `encodeRequest`.',
  ERR_SCGI_RESPONSE_FIELD: 'Remove line breaks and control characters; encode other text, for example with RFC 8187.',
  ERR_SCGI_STATUS_CODE: 'Answer with a final status; of the interim ones only 101 can be sent.',
  ERR_SCGI_REDIRECT_PATH:
    '`localRedirect` takes a path such as `/notes?page=2`; `details.fault` says what is wrong with this one. For other sites use a redirect of your framework.',
  ERR_SCGI_LOCAL_REDIRECT_LOOP:
    'Two pages redirect to each other: `details.target` is one of them. See [local redirects](redirects-and-files.md#local-redirects).',
  ERR_SCGI_SENDFILE:
    '`details` has the path and what is wrong, `cause` the error of the system. Put a new file in the place of an old one by renaming; do not write into it.',
  ERR_SCGI_HANDLER_TIMEOUT: 'Answer sooner, watch `request.signal` in what takes long, or raise `handlerTimeout`.',
  ERR_SCGI_BODY_USED: 'Read a body once: keep what `text()`, `json()` or `bytes()` gave you.',
  ERR_SCGI_BODY_LENGTH_MISMATCH: 'Send exactly as many bytes as the request announced.',
  ERR_SCGI_BODY_SOURCE: '`cause` has what the stream, the file or the iterable failed with, or `details` what it gave.',
  ERR_SCGI_SPOOL: 'Make room in `spoolFolder`, or choose another one; `cause` has the error of the system.',
  ERR_SCGI_BIND: '`details.problem` says what is wrong and `details.remedy` or `details.accepted` what works.',
  ERR_SCGI_SOCKET_PATH: '`details.remedy` says it: a shorter path, another folder, a file to remove.',
  ERR_SCGI_SOCKET_IN_USE: 'Stop the other process (`ss -xlp` shows it), or choose another path.',
  ERR_SCGI_ALLOW_FROM: 'Name the web servers in `allowFrom`, or bind to loopback or to a Unix socket.',

  ERR_SCGI_BACKEND_UNREACHABLE: 'Start the backend, or mend its address; `cause` has the error of the system.',
  ERR_SCGI_BACKEND_RESET: 'Look into the log of the backend: it crashed or gave up inside the exchange.',
  ERR_SCGI_BACKEND_TIMEOUT: 'Raise the time limit that `details` names, or find out what the backend waits for.',
  ERR_SCGI_BACKEND_BUSY:
    'Raise `maxConcurrent`, `maxQueued` or `queueTimeout`; with `EMFILE` the limit of open files (`ulimit -n`); with `EAGAIN` the backlog of the backend, or lower `maxConcurrent` below it.',
  ERR_SCGI_FILE_NOT_FOUND:
    'Look at the X-Sendfile or X-Accel-Redirect field of the backend, and at the folder that `sendfile` or `accelRedirect` gives for it; a link that leads out of it counts as missing.',
  ERR_SCGI_LENGTH_REQUIRED: 'Let the client send Content-Length, or raise `maxSpooledBody`.',

  ERR_SCGI_PROGRAM_NOT_FOUND:
    'Look at the folder that `cgiDirectory` was given, and at the path behind the mount point.',
  ERR_SCGI_PROGRAM_FORBIDDEN:
    '`details` says what it is: a file without `chmod +x`, a link that leads out of the folder (`links`), a folder without `index`.',
  ERR_SCGI_PROGRAM_START:
    '`details.problem` says it: a missing interpreter, a `#!` line that ends with CR LF, a program for another system.',
  ERR_SCGI_PROGRAM_TIMEOUT: 'Raise the time limit that `details` names, or find out what the program waits for.',
  ERR_SCGI_PROGRAM_FAILED:
    'Look at `cause`, what the function threw, or at `details`: an answer that goes on after the function has returned needs a promise, or `stdout.end()`.',
  ERR_SCGI_NOT_CGI: 'Let a web server call the program, or give `fromEnviron` an environment as `toEnviron` makes it.',
  ERR_SCGI_PROGRAM_DIED: 'The program crashed, or somebody killed it: look at its standard error in the log.',

  ERR_SCGI_CLIENT_GONE:
    'Raised by `@scgi/client` for an answer whose body was destroyed while somebody read it. A request whose client leaves fails with `ECONNRESET`.',
  ERR_SCGI_CLIENT_CLOSED: 'The client, or the gateway, was closed while the request waited for a connection.',
  ERR_SCGI_SERVER_CLOSING: 'Reserved: nothing raises it yet.',
};
