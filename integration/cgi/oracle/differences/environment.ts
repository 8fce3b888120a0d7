// Differences in what programs are told of a request.

import {
  type AllowedDifference,
  changes,
  rewriteVariable,
  setVariable,
  withoutArguments,
  withoutVariables,
} from './rewrite.js';

export const environmentDifferences = [
  {
    name: 'variables that Apache has for itself',
    everywhere: true,
    why: 'they tell where in its configuration Apache has found the program; nothing of RFC 3875',
    witness: 'mod_alias; ap_trust_cgilike_cl is a switch that this suite sets',
    apply: withoutVariables(/^(?:CONTEXT_PREFIX|CONTEXT_DOCUMENT_ROOT|SERVER_SIGNATURE|ap_trust_cgilike_cl)$/),
  },
  {
    name: 'search path',
    everywhere: true,
    why: 'programs get a PATH that does not depend on who has started the server',
    witness: 'the option path; Apache passes on its own',
    apply: rewriteVariable('PATH', () => '/usr/local/bin:/usr/bin:/bin'),
  },
  {
    name: 'fields of the connection',
    everywhere: true,
    why: 'they are about the connection between client and front end, of which the program knows nothing',
    witness: 'RFC 9110 §7.6.1',
    apply: withoutVariables(/^HTTP_(?:CONNECTION|KEEP_ALIVE|TE|TRAILER|TRANSFER_ENCODING|UPGRADE)$/),
  },
  {
    name: 'expectation',
    why: 'the front end has answered it',
    witness: 'nginx and Apache send 100 Continue themselves',
    apply: withoutVariables(/^HTTP_EXPECT$/),
  },
  {
    name: 'software',
    everywhere: true,
    behind: 'nginx',
    why: 'who does not say what it is leaves that to us, and has no administrator',
    witness: 'nginx: neither is among the stock scgi_params',
    apply: (cgid, ours) => {
      const own = ours.seen?.variables.find(([name]) => name === 'SERVER_SOFTWARE')?.[1] ?? '';
      const isOwn = /^scgi-cgi\/\d+\.\d+\.\d+$/.test(own);
      return changes(
        rewriteVariable('SERVER_SOFTWARE', (value) => (isOwn ? own : value)),
        withoutVariables(/^SERVER_ADMIN$/),
      )(cgid);
    },
  },
  {
    name: 'address of the server',
    everywhere: true,
    behind: 'nginx',
    why: 'the address that the client has connected to is known only if the front end tells it',
    witness: 'nginx has no SERVER_ADDR in its stock scgi_params',
    apply: withoutVariables(/^SERVER_ADDR$/),
  },
  {
    name: 'host',
    everywhere: true,
    behind: 'nginx',
    why: 'the front end has changed it',
    witness: 'Debian 12, /etc/nginx/scgi_params: HTTP_HOST is $host, without capitals and port',
    apply: rewriteVariable('HTTP_HOST', (value) => value.toLowerCase().replace(/:.*/, '')),
  },
  {
    name: 'name and port of the server',
    everywhere: true,
    behind: 'nginx',
    why: 'they are what is configured and where the request has come in, whatever the client says in Host',
    witness: 'nginx: SERVER_NAME is $server_name, SERVER_PORT is $server_port; RFC 3875 §4.1.15',
    apply: changes(
      rewriteVariable('SERVER_NAME', () => 'example.test'),
      rewriteVariable('SERVER_PORT', () => 'PORT'),
    ),
  },
  {
    name: 'host that TLS was told',
    behind: 'nginx',
    why: 'what is known of TLS is what the front end tells',
    witness: 'nginx has none of SSL_* in its stock scgi_params',
    apply: withoutVariables(/^SSL_TLS_SNI$/),
  },
  {
    name: 'cookies in several fields',
    behind: 'nginx',
    why: 'a comma is part of a cookie',
    witness: 'RFC 9113 §8.2.3: joined by "; "; Apache joins all fields by ", ", and as a front end, too',
    apply: rewriteVariable('HTTP_COOKIE', (value) => value.replace(', ', '; ')),
  },
  {
    name: 'empty content type',
    why: 'an empty one is none',
    witness: 'nginx sends an empty CONTENT_TYPE with every request that has none',
    apply: withoutVariables(/^CONTENT_TYPE$/),
  },
  {
    name: 'length of 0',
    behind: 'apache',
    why: 'it cannot be told from none',
    witness:
      'the SCGI specification: CONTENT_LENGTH must be there; nginx tells the one from the other by HTTP_CONTENT_LENGTH',
    apply: withoutVariables(/^CONTENT_LENGTH$/),
  },
  {
    name: 'leading zeros of a length',
    why: 'the length is a number, not the text of the client',
    witness: 'nginx, Apache as a front end: CONTENT_LENGTH is printed anew',
    apply: rewriteVariable('CONTENT_LENGTH', (value) => value.replace(/^0+(?=\d)/, '')),
  },
  {
    name: 'length of a chunked body',
    behind: 'nginx',
    why: 'the front end has counted it; CGI programs read as much as CONTENT_LENGTH says, and Apache gives them none',
    witness: 'nginx: scgi_request_buffering; RFC 3875 §4.1.2',
    apply: setVariable('CONTENT_LENGTH', '5'),
  },
  {
    name: 'absolute form',
    why: 'REQUEST_URI is a path and a query; the host of the form is in HTTP_HOST',
    witness: 'nginx; PHP programs that put REQUEST_URI into links',
    apply: rewriteVariable('REQUEST_URI', (value) => value.replace(/^http:\/\/[^/]+/, '')),
  },
  {
    name: 'indexed queries of GET and HEAD alone',
    why: 'no other method has them',
    witness: 'RFC 3875 §4.4',
    apply: withoutArguments,
  },
  {
    name: 'words that no argument can be',
    why: 'a program sees all of the words or none: Apache cuts them at an encoded NUL',
    witness:
      'RFC 3875 §4.4: "If the server cannot create any part of the argument list, then [it] MUST NOT generate any"',
    apply: withoutArguments,
  },
  {
    name: 'copies of all variables for a redirect',
    everywhere: true,
    why: 'programs look for four of them; to copy the others tells the next program what was for this one',
    witness:
      'PHP and error documents read REDIRECT_STATUS and REDIRECT_URL; Apache renames whatever there is, at every redirect',
    apply: withoutVariables(/^REDIRECT_(?!(?:STATUS|URL|QUERY_STRING|REQUEST_METHOD)$)/),
  },
  {
    name: 'type of a body that is gone',
    why: 'the GET of a local redirect has no body',
    witness: 'RFC 3875 §6.2.2, §4.1.3',
    apply: withoutVariables(/^CONTENT_TYPE$/),
  },
  {
    name: 'users of a local redirect',
    why: 'the front end is not asked again, so nobody has checked the password for this path',
    witness: 'REMOTE_USER comes from the front end alone',
    apply: withoutVariables(/^(?:AUTH_TYPE|REMOTE_USER)$/),
  },
] as const satisfies readonly AllowedDifference[];
