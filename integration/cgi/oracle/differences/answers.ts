// Differences in what the client gets of what a program prints.

import { STATUS_CODES } from 'node:http';
import type { Answer } from '../support/answer.js';
import { type AllowedDifference, changes, fieldOf, refusal, setField, withBody, withStatus } from './rewrite.js';

export const answerDifferences = [
  {
    name: 'answers that are none are a 502',
    why: 'it is the program that is wrong, and the server before it that says so; Apache has one status for both, or takes it',
    witness: 'RFC 9110 §15.6.3; the reason is in the log, as ERR_SCGI_RESPONSE_* and ERR_SCGI_PROGRAM_DIED',
    apply: refusal(502),
  },
  {
    name: 'status line of HTTP',
    why: 'programs that were written for another server begin with it',
    witness: 'nginx and lighttpd accept it of every backend',
    apply: changes(withStatus(404), withBody('x', 'text/html'), setField('content-length')),
  },
  {
    name: 'phrase of a status that has none',
    why: 'a status line without one is legal and puzzles old clients',
    witness: 'RFC 9112 §4; @scgi/core/protocol, reasonPhrase',
    apply: (cgid) => withStatus(cgid.status, cgid.reason === '' ? 'Unknown' : cgid.reason)(cgid),
  },
  {
    name: 'space behind a value',
    why: 'it is no part of the value',
    witness: 'RFC 9110 §5.5',
    apply: (cgid) => ({ ...cgid, fields: cgid.fields.map(([name, value]) => [name, value.trimEnd()]) }),
  },
  {
    name: 'fields printed twice',
    behind: 'nginx',
    why: 'they go out as they are printed; Apache joins them, and as a front end, too',
    witness: 'RFC 9110 §5.3: both mean the same',
    apply: (cgid) => setField('x-a', ...(fieldOf(cgid, 'x-a') ?? '').split(', '))(cgid),
  },
  {
    name: 'date and server of a program',
    why: 'what the backend says of itself is left to it',
    witness: 'nginx and mod_proxy_scgi pass both on; a program of mod_cgid is Apache',
    apply: changes(setField('date', 'Thu, 01 Jan 1970 00:00:00 GMT'), setField('server', 'mine')),
  },
  {
    name: 'conditions of the client',
    why: 'whether its answer has changed is for the program to say',
    witness: 'RFC 3875 §1.1 leaves them to the script; Apache compares the fields that it has printed',
    apply: changes(withStatus(200), withBody('x', 'text/html')),
  },
  {
    name: 'answers end where they say',
    why: 'octets behind the length would be the next answer on the same connection',
    witness: 'RFC 9112 §11.2; nginx and lighttpd cut them off',
    apply: (cgid, _ours, { prints = '' }) => {
      const length = Number(/content-length: (\d+)/i.exec(prints)?.[1]);
      const body = cgid.body.slice(0, length);
      return changes(withBody(body, fieldOf(cgid, 'content-type')), setField('content-length', `${length}`))(cgid);
    },
  },
  {
    name: 'type of an answer without a body',
    behind: 'nginx',
    why: 'it goes out as it is printed; Apache takes it away, and as a front end, too',
    witness: 'Apache: ap_http_header_filter',
    apply: setField('content-type', 'text/html'),
  },
  {
    name: 'NPH programs are read',
    why: 'behind SCGI there is no connection that a program could write to as it likes',
    witness: 'mod_cgid hands their octets to the client: line ends, bodies of a HEAD and all',
    apply: (cgid, ours, { method = 'GET' }) => {
      const body = method === 'HEAD' ? '' : 'hello';
      const frontEnds = ours.fields.filter(([name]) => name === 'date' || name === 'server');
      return changes(withStatus(200), withBody(body, 'text/plain'))({ ...cgid, fields: frontEnds });
    },
  },
  {
    name: 'who serves, and when',
    why: 'the front end adds what an answer lacks',
    witness: 'nginx and Apache add Server and Date, but mod_cgid not to the answer of an NPH program',
    apply: (cgid, ours) =>
      changes(
        setField('date', fieldOf(cgid, 'date') ?? fieldOf(ours, 'date') ?? ''),
        setField('server', fieldOf(cgid, 'server') ?? fieldOf(ours, 'server') ?? ''),
      )(cgid),
  },
  {
    name: 'pages of errors',
    everywhere: true,
    why: 'whoever finds the error writes the page: the runner, or the front end; neither says more than the status',
    witness: 'the pages of Apache, nginx and the runner',
    apply: (cgid, ours) => {
      if (!isApachePage(cgid) || cgid.status < 400) return cgid;
      const { status } = cgid;
      const isOwn =
        ours.body === `${status} ${STATUS_CODES[status]}\n` && fieldOf(ours, 'content-type') === 'text/plain';
      const isFrontEnds =
        isApachePage(ours) || (ours.body.includes('<center>nginx/') && ours.body.includes(`<title>${status} `));
      if (!isOwn && !isFrontEnds) return cgid;
      const length = setField('content-length', fieldOf(ours, 'content-length') ?? '');
      return changes(withBody(ours.body, fieldOf(ours, 'content-type')), length)(cgid);
    },
  },
  {
    name: 'date',
    everywhere: true,
    why: 'two clocks that are read one after the other',
    witness: 'Apache and nginx add Date unless the backend sent one',
    apply: (cgid, ours) => {
      const date = fieldOf(ours, 'date') ?? '';
      if (fieldOf(cgid, 'date') === undefined) return cgid;
      return Math.abs(Date.now() - Date.parse(date)) < 600_000 ? setField('date', date)(cgid) : cgid;
    },
  },
  {
    name: 'server',
    everywhere: true,
    behind: 'nginx',
    why: 'who answers the client says so',
    witness: 'nginx: server_tokens',
    apply: (cgid, ours) => {
      const server = fieldOf(ours, 'server') ?? '';
      const isNginx = fieldOf(cgid, 'server') !== undefined && /^nginx\/[\d.]+$/.test(server);
      return isNginx ? setField('server', server)(cgid) : cgid;
    },
  },
  {
    name: 'length that nobody has stated',
    everywhere: true,
    why: 'Apache counts what comes in one piece, and answers to HEAD; whether it is one piece is a matter of luck',
    witness: 'Apache: ap_content_length_filter',
    apply: (cgid, ours, { prints = '' }) => {
      if (/content-length/i.test(prints)) return cgid;
      const stated = fieldOf(ours, 'content-length');
      const isRight = stated === `${ours.length}` && (cgid.seen === undefined ? cgid.length === ours.length : true);
      return setField('content-length', ...(stated !== undefined && isRight ? [stated] : []))(cgid);
    },
  },
] as const satisfies readonly AllowedDifference[];

/** A page that Apache has made. */
export function isApachePage({ body }: Answer): boolean {
  return body.startsWith('<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN"');
}
