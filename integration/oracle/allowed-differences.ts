// Everything in which an application behind SCGI may differ from the same application behind Node's HTTP server.
// Each entry rewrites what HTTP showed into what SCGI must show. The SCGI side is never rewritten, so an entry allows
// one exact deviation and not its neighbours; one that no behaviour needs fails the suite.
import type { Answer } from './support/answer.js';
import type { Observation } from './support/observe.js';

export interface AllowedDifference {
  readonly name: string;
  /** Applies to every behaviour, not only to those that name it. */
  readonly everywhere?: boolean;
  readonly why: string;
  /** The rule, or the front end, that makes the difference right. */
  readonly witness: string;
  /** What HTTP showed → what SCGI must show. May look at what SCGI did show where there is more than one right answer. */
  readonly apply: (http: Observation, scgi: Observation) => Observation;
}

const hopByHop = /^(connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/i;

const differences = [
  {
    name: 'date',
    everywhere: true,
    why: 'the front end adds Date; only one that the listener set is sent',
    witness: 'nginx, Apache and lighttpd add Date unless the backend sent one',
    apply: (http) => withAnswer(http, ({ fields }) => ({ fields: fields.filter((field) => !isOwnDate(field)) })),
  },
  {
    name: 'hop-by-hop response fields',
    everywhere: true,
    why: 'fields about one HTTP connection mean nothing in a CGI response',
    witness: 'RFC 9110 §7.6.1; nginx and Apache pass the framing of Transfer-Encoding on as content',
    apply: (http) =>
      withAnswer(http, ({ fields, status }) => ({
        fields: status === 101 ? fields : fields.filter(([name]) => !hopByHop.test(name)),
      })),
  },
  {
    name: 'length of the body',
    everywhere: true,
    why: 'a length that is known when the head is sent is stated, where HTTP would use the chunked coding',
    witness: 'without a length no front end can tell a broken response from a whole one on a Unix socket',
    apply: stateLength,
  },
  {
    name: 'status field',
    why: 'a field named Status would replace the status code',
    witness: 'RFC 3875 §6.3.3',
    apply: (http) => withAnswer(http, ({ fields }) => ({ fields: fields.filter(([name]) => name !== 'Status') })),
  },
  {
    name: 'event streams are not buffered',
    why: 'a front end that buffers would hold events back',
    witness: 'nginx: X-Accel-Buffering',
    apply: (http) => withAnswer(http, ({ fields }) => ({ fields: [...fields, ['X-Accel-Buffering', 'no']] })),
  },
  {
    name: 'interim responses',
    why: 'CGI has one response; interim ones are called back and not sent',
    witness: 'nginx and Apache take a 1xx for the final response and its successor for content',
    apply: (http) => withAnswer(http, () => ({ interim: [] })),
  },
  {
    name: 'response trailers',
    why: 'CGI has no trailers; they are accepted and not sent',
    witness: 'RFC 3875 §6.2',
    apply: (http) => withAnswer(http, () => ({ trailers: [] })),
  },
  {
    name: 'a broken response is reset',
    why: 'without chunk framing only a reset shows that the rest is missing',
    witness: 'nginx, Apache and lighttpd take FIN without Content-Length for the end of the body',
    apply: (http) => withAnswer(http, ({ ended }) => (ended === 'truncated' ? { ended: 'reset' } : {})),
  },
  {
    name: 'the rest of the body is read',
    why: 'an unread body is read and discarded after the answer; HTTP closes the connection on it',
    witness: 'Apache turns a connection closed with unread input into a 500 or a hang',
    apply: (http) => ({ ...http, log: [...http.log, 'req end', 'req close'] }),
  },
  {
    name: 'a half-closed request is answered',
    why: 'end of stream together with the last octet of the request says that no more is sent, not that nobody listens',
    witness: 'lighttpd half-closes when its client did; hand-made SCGI clients end their stream after the request',
    apply: (http, scgi) => (scgi.answer?.body.toString() === 'answered' ? { ...http, answer: scgi.answer } : http),
  },
  {
    name: 'error answers',
    why: 'the answer to malformed input says what was wrong with it',
    witness: 'the reader is the administrator of a front end, who sees the body in the browser',
    apply: explainError,
  },
  {
    name: 'error codes',
    why: 'the codes are those of the wire that was spoken',
    witness: 'docs/errors.md',
    apply: (http, scgi) => rewriteLog(http, (line) => translateCode(line, scgi)),
  },
  {
    name: 'expect',
    why: 'the front end has answered the expectation before the request gets here',
    witness: 'nginx, Apache and lighttpd send 100 Continue themselves',
    apply: (http) =>
      rewriteLog(http, (line) =>
        line.replace(/^check(Continue|Expectation)$/, 'request').replace(/^(expect: ).*/, '$1undefined'),
      ),
  },
  {
    name: 'hop-by-hop request fields',
    why: 'they tell of the connection between the client and the front end, and a chunked body arrives without chunks',
    witness: 'nginx passes Connection, TE, Keep-Alive and even Transfer-Encoding on as variables',
    apply: (http) =>
      rewriteLog(http, (line) => line.replace(/^((connection|keep-alive|te|transfer-encoding): ).*/, '$1undefined')),
  },
  {
    name: 'length of a chunked request',
    why: 'the front end has counted the octets of a chunked body',
    witness: 'nginx and lighttpd buffer it and send CONTENT_LENGTH',
    apply: (http) => rewriteLog(http, (line) => line.replace(/^(content-length: )undefined$/, "$1'9'")),
  },
  {
    name: 'case of raw field names',
    why: 'the case is lost in HTTP_* variables',
    witness: 'RFC 3875 §4.1.18',
    apply: (http) => rewriteLog(http, (line) => (line.startsWith('raw names: ') ? line.toLowerCase() : line)),
  },
  {
    name: 'the last of a repeated single field counts',
    why: 'a later variable overrides an earlier one, and the two ways to get there look the same',
    witness: 'nginx: `scgi_param HTTP_USER_AGENT …` after `include scgi_params` sends the name twice',
    apply: (http) =>
      rewriteLog(http, (line) => line.replace(/'first, second'|'first'/, "'second'").replace('//first', '//second')),
  },
  {
    name: 'local address',
    why: 'the address the client connected to is known only if the front end tells it',
    witness: 'nginx has no SERVER_ADDR in its stock scgi_params',
    apply: (http) => rewriteLog(http, (line) => line.replace(/^(local: \[ )'127\.0\.0\.1'/, '$1undefined')),
  },
  {
    name: 'the peer stays known',
    why: 'the address of the client came in a variable, not from the kernel, and outlives the socket',
    witness: 'REMOTE_ADDR, RFC 3875 §4.1.8',
    apply: (http) => rewriteLog(http, (line) => line.replace(/^(remote family: )undefined/, "$1'IPv4'")),
  },
  {
    name: 'headersTimeout',
    why: 'a request head comes from a front end that has it all, not from a client that is typing',
    witness: 'nginx, Apache and lighttpd write the head in one piece',
    apply: (http) => rewriteLog(http, (line) => line.replace('headersTimeout: 60000', 'headersTimeout: 10000')),
  },
  {
    name: 'complete with the last octet',
    why: 'the length is known from the start, so the request is complete as soon as its last octet is here',
    witness: 'CONTENT_LENGTH; HTTP learns of the end from the parser, one callback later',
    apply: (http) =>
      rewriteLog(http, (line) =>
        line.startsWith('on data: ') ? line.replace('complete: false', 'complete: true') : line,
      ),
  },
  {
    name: 'maxHeadersCount',
    why: 'the number of fields is bounded by maxVariables; Node drops or refuses what is above maxHeadersCount',
    witness: 'nginx large_client_header_buffers, Apache LimitRequestFields, lighttpd server.max-request-field-size',
    apply: (http, scgi) => {
      const names = "names: [ 'host', 'x-1', 'x-2', 'x-3', 'x-4' ]";
      return scgi.answer?.status === 200 ? { ...http, answer: scgi.answer, log: [names] } : http;
    },
  },
  {
    name: 'async context',
    why: 'events of a request run in the context its listener ran in; HTTP loses it in its parser',
    witness: 'tracing tools, which find the request of an event by its context',
    apply: (http) =>
      rewriteLog(http, (line) => line.replace(/^((?:end|finish|end callback): )undefined$/, "$1'this request'")),
  },
] as const satisfies readonly AllowedDifference[];

export type AllowedDifferenceName = (typeof differences)[number]['name'];

/** The list, in the order in which it is applied. */
export const allowedDifferences: readonly (AllowedDifference & { readonly name: AllowedDifferenceName })[] =
  differences;

function withAnswer(http: Observation, change: (answer: Answer) => Partial<Answer>): Observation {
  const { answer } = http;
  return answer === undefined || answer.status === 0 ? http : { ...http, answer: { ...answer, ...change(answer) } };
}

function rewriteLog(http: Observation, rewrite: (line: string) => string): Observation {
  return { ...http, log: http.log.map(rewrite) };
}

// The server's own clock, not a date that a behaviour set.
function isOwnDate([name, value]: Answer['fields'][number]): boolean {
  return name === 'Date' && Math.abs(Date.now() - Date.parse(value)) < 600_000;
}

function stateLength(http: Observation, scgi: Observation): Observation {
  return withAnswer(http, ({ fields, body, ended }) => {
    const isLength = ([name]: Answer['fields'][number]): boolean => name === 'Content-Length';
    const stated = scgi.answer?.fields.find(isLength);
    if (stated === undefined || fields.some(isLength) || ended !== 'complete') return {};
    return stated[1] === String(body.byteLength) ? { fields: [...fields, stated] } : {};
  });
}

function explainError(http: Observation, scgi: Observation): Observation {
  const text = scgi.answer?.body.toString() ?? '';
  if (!/^ERR_SCGI_[A-Z_]+: [^\n]+\n$/.test(text)) return http;
  const fields: Answer['fields'] = [
    ['content-type', 'text/plain'],
    ['content-length', String(text.length)],
  ];
  return withAnswer(http, () => ({ fields, body: Buffer.from(text) }));
}

const codes: Readonly<Record<string, readonly string[]>> = {
  HPE_INVALID_EOF_STATE: ['ERR_SCGI_PREMATURE_EOF'],
  HPE_HEADER_OVERFLOW: ['ERR_SCGI_HEAD_TOO_LARGE'],
  ERR_HTTP_REQUEST_TIMEOUT: ['ERR_SCGI_HEAD_TIMEOUT', 'ERR_SCGI_REQUEST_TIMEOUT'],
};

function translateCode(line: string, scgi: Observation): string {
  const [, code] = /^(?:clientError|error code): '(\w+)'$/.exec(line) ?? [];
  const candidates = (codes[code ?? ''] ?? []).map((ours) => line.replace(code ?? '', ours));
  return candidates.find((candidate) => scgi.log.includes(candidate)) ?? line;
}
