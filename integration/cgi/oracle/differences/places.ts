// Differences in which program answers, if any: paths, files and redirects.

import type { Answer } from '../support/answer.js';
import { isApachePage } from './answers.js';
import {
  type AllowedDifference,
  changes,
  clientRedirect,
  fieldOf,
  refusal,
  setField,
  withBody,
  withStatus,
} from './rewrite.js';

export const placeDifferences = [
  {
    name: 'dots',
    why: 'browsers resolve them before they ask; what is left of them is an attack, or a mistake',
    witness: 'RFC 3986 §5.2.4; Apache resolves them',
    apply: refusal(404),
  },
  {
    name: 'line feeds in a path',
    why: 'they end a line of whatever log or head repeats the path',
    witness: 'CVE-2019-11043 began with %0a',
    apply: refusal(400),
  },
  {
    name: 'NUL in a path',
    behind: 'nginx',
    why: 'the front end refuses it',
    witness: 'nginx: ngx_http_parse_complex_uri',
    apply: withStatus(400),
  },
  {
    name: 'hidden names',
    why: ".git, .htpasswd and what editors leave behind are nobody's programs",
    witness: "Debian's Apache refuses .ht* alone, by configuration",
    apply: refusal(404),
  },
  {
    name: 'links that lead out',
    why: 'a folder of programs is what is in it, unless the option links says otherwise',
    witness: 'Apache: Options FollowSymLinks is on by default',
    apply: refusal(403),
  },
  {
    name: 'what is not there is a 404',
    why: 'a link to nothing, a name that no file can have',
    witness: 'RFC 9110 §15.5.5; Apache: 403',
    apply: withStatus(404),
  },
  {
    name: 'what is not executable is a 403',
    why: 'it is there, and must not be run',
    witness: 'Apache: 500; lighttpd: 403',
    apply: withStatus(403),
  },
  {
    name: 'answers that Apache cannot chunk',
    behind: 'apache',
    why: 'a chunked body has no length, and mod_proxy_scgi does not count it',
    witness: 'Apache: 411 where the handler is mod_proxy_scgi',
    apply: (_cgid, ours) => (ours.status === 411 && isApachePage(ours) ? ours : _cgid),
  },
  {
    name: 'redirects without a page',
    everywhere: true,
    why: 'a page for clients that do not follow is for the program to print',
    witness: 'Apache makes one for every redirect without a status, in the place of what the program has printed',
    apply: (cgid, _ours, { prints = '' }) => {
      if (cgid.status !== 302 || (!isApachePage(cgid) && cgid.length > 0)) return cgid;
      const [head = '', ...body] = prints.split(/\r?\n\r?\n/);
      const type = /content-type: (.*)/i.exec(head)?.[1]?.trim();
      return changes(withBody(body.join('\n\n'), type), setField('content-length', ...lengthOf(_ours)))(cgid);
    },
  },
  {
    name: 'empty location',
    why: 'it is a location',
    witness: 'RFC 3986 §4.2: the page itself; Apache: a 302 to its page, without Location',
    apply: setField('location', ''),
  },
  {
    name: 'redirects with more than a path',
    why: 'a local redirect is a Location and nothing else: cookies and documents are for the client, which is redirected then',
    witness: 'RFC 3875 §6.2.2; it ends at the same page',
    apply: (cgid, _ours, { prints = '' }) => leftToClient(cgid, prints),
  },
  {
    name: 'redirects out of the mount',
    why: 'who answers there, the front end knows; so the client is sent to it',
    witness: 'nginx and lighttpd have no local redirects for SCGI, Apache only for a status of 200',
    apply: (cgid, _ours, { prints = '' }) => leftToClient(cgid, prints),
  },
  {
    name: 'redirects to another host without its scheme',
    why: 'two slashes are a host',
    witness: 'RFC 3986 §4.2; Apache takes them for a path',
    apply: (cgid, _ours, { prints = '' }) => leftToClient(cgid, prints),
  },
  {
    name: 'status of 200 with a path',
    behind: 'nginx',
    why: 'a status makes a document of it',
    witness: 'RFC 3875 §6.2.2: a local redirect has no Status',
    apply: (cgid) =>
      changes(withBody('x', 'text/html'), setField('x-arguments'), setField('location', '/cgi-bin/probe'))(cgid),
  },
  {
    name: 'status of 200 with a path, which Apache follows',
    behind: 'apache',
    why: 'the front end asks for it as it would for a new request',
    witness: 'Apache: ProxySCGIInternalRedirect',
    apply: (cgid, ours) => (ours.seen === undefined || cgid.seen === undefined ? cgid : asked(cgid)),
  },
  {
    name: 'local redirects do not ask the front end',
    why: 'the runner follows them itself, and knows none of the rules of the front end; its README warns of it',
    witness: 'neither nginx nor lighttpd can be asked; Apache applies its own',
    apply: (cgid, ours) => {
      const isPrivate = ours.seen?.variables.some(
        ([name, value]) => name === 'SCRIPT_NAME' && value === '/cgi-bin/private/probe',
      );
      const hasUser = ours.seen?.variables.some(([name]) => name === 'REMOTE_USER' || name === 'AUTH_TYPE');
      return isPrivate === true && hasUser === false ? ours : cgid;
    },
  },
] as const satisfies readonly AllowedDifference[];

function lengthOf(answer: Answer): readonly string[] {
  const length = fieldOf(answer, 'content-length');
  return length === undefined ? [] : [length];
}

/** What the program has printed, as a redirect of the client. */
function leftToClient(cgid: Answer, prints: string): Answer {
  const [head = '', ...rest] = prints.split(/\r?\n\r?\n/);
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}: (.*?)\r?$`, 'im').exec(head)?.[1];
  const cookie = valueOf('set-cookie');
  return changes(
    clientRedirect(valueOf('location') ?? ''),
    withBody(rest.join('\n\n'), valueOf('content-type')),
    setField('set-cookie', ...(cookie === undefined ? [] : [cookie])),
  )(cgid);
}

function asked(cgid: Answer): Answer {
  const { seen } = cgid;
  if (seen === undefined) return cgid;
  const variables = seen.variables
    .filter(([name]) => !name.startsWith('REDIRECT_'))
    .map(([name, value]) => [name, name === 'REQUEST_URI' ? '/cgi-bin/probe' : value] as const);
  return { ...cgid, seen: { ...seen, variables } };
}
