// The inside of a response head: RFC 3875 §6, read as tolerantly as the common front ends do and no more.
// Works on a whole head; finding its end is the decoder's business.

import { parseContentLength } from './content-length.js';
import { RemoteProtocolError } from './errors.js';
import type { ScgiErrorCode } from './errors.js';
import { isFieldValue, isToken } from './field-syntax.js';
import { reasonPhrase } from './reason-phrases.js';

/**
 * What the backend means, RFC 3875 §6.2.
 * `local-redirect`: a Location that is a path, and nothing else (§6.2.2): answer with that path of your own instead.
 * `client-redirect`: another Location without Status, or with a redirecting one (§6.2.3, §6.2.4).
 * `upgrade`: a 101; what follows is a tunnel. `document`: everything else (§6.2.1).
 */
export type ResponseKind = 'document' | 'local-redirect' | 'client-redirect' | 'upgrade';

/** A decoded response head. */
export interface ResponseHead {
  /** As sent; without one 302 if there is a Location, else 200. */
  readonly status: number;
  /** As sent; without one the registered phrase of the status. */
  readonly reason: string;
  /** Flat: name, value, name, value … Names as sent, values latin1 and trimmed; without Status, Content-Length once. */
  readonly fields: readonly string[];
  readonly kind: ResponseKind;
  /** The value of Content-Length, whether or not a body follows (HEAD, 304). */
  readonly contentLength: number | undefined;
}

interface Draft {
  status: { readonly code: number; readonly reason: string } | undefined;
  readonly fields: string[];
  location: string | undefined;
  contentLength: number | undefined;
}

/**
 * Reads a head up to and including its empty line.
 * @throws RemoteProtocolError ERR_SCGI_RESPONSE_HEAD, _STATUS, _CONTENT_LENGTH or _FRAMING
 */
export function readResponseHead(text: string): ResponseHead {
  const draft: Draft = { status: undefined, fields: [], location: undefined, contentLength: undefined };
  for (let start = 0; ;) {
    const newline = text.indexOf('\n', start);
    // Lines may end with LF alone: RFC 3875 §6.1 leaves NL to the system, and old CGI programs print "\n".
    const end = newline > start && text[newline - 1] === '\r' ? newline - 1 : newline;
    if (end <= start) return finish(draft);
    if (start === 0 && text.startsWith('HTTP/')) readStatusLine(draft, text.slice(0, end));
    else readField(draft, text.slice(start, end));
    start = newline + 1;
  }
}

/** Programs written as "non-parsed header" scripts (RFC 3875 §5) start like HTTP; nginx and lighttpd accept that too. */
function readStatusLine(draft: Draft, line: string): void {
  if (!/^HTTP\/1\.[0-9] /.test(line)) throw malformed('ERR_SCGI_RESPONSE_STATUS', line);
  setStatus(draft, line.slice(9).trim());
}

function readField(draft: Draft, line: string): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  // A folded line (RFC 9112 §5.2) fails here as well: it starts with a space, which no token has.
  if (colon === -1 || !isToken(name)) throw malformed('ERR_SCGI_RESPONSE_HEAD', line);
  const value = trimOws(line, colon + 1);
  if (!isFieldValue(value)) throw malformed('ERR_SCGI_RESPONSE_HEAD', name);
  switch (name.toLowerCase()) {
    case 'status':
      setStatus(draft, value);
      return;
    case 'content-length':
      if (!setContentLength(draft, value)) return;
      break;
    case 'transfer-encoding':
      throw new RemoteProtocolError('ERR_SCGI_RESPONSE_FRAMING', { value: value.slice(0, 40) });
    case 'location':
      draft.location ??= value;
  }
  draft.fields.push(name, value);
}

/** RFC 3875 §6.3.3: three digits, then perhaps a space and a reason. */
function setStatus(draft: Draft, text: string): void {
  if (!/^[1-9][0-9]{2}(?: |$)/.test(text) || !isFieldValue(text)) throw malformed('ERR_SCGI_RESPONSE_STATUS', text);
  const code = Number(text.slice(0, 3));
  if (draft.status !== undefined && draft.status.code !== code) throw malformed('ERR_SCGI_RESPONSE_STATUS', text);
  draft.status = { code, reason: text.slice(4).trim() || reasonPhrase(code) };
}

/** False for a repetition, which is not passed on: nginx refuses a second Content-Length even if it is the same. */
function setContentLength(draft: Draft, value: string): boolean {
  const length = parseContentLength(value);
  const known = draft.contentLength;
  if (length === undefined || (known !== undefined && known !== length)) {
    throw malformed('ERR_SCGI_RESPONSE_CONTENT_LENGTH', value);
  }
  draft.contentLength = length;
  return known === undefined;
}

function finish(draft: Draft): ResponseHead {
  const { fields, contentLength } = draft;
  const code = draft.status?.code ?? (draft.location === undefined ? 200 : 302);
  return {
    status: code,
    reason: draft.status?.reason ?? reasonPhrase(code),
    fields,
    kind: kindOf(draft, code),
    contentLength,
  };
}

function kindOf(draft: Draft, status: number): ResponseKind {
  if (status === 101) return 'upgrade';
  const { location } = draft;
  if (location === undefined) return 'document';
  if (draft.status === undefined) {
    // "//host/path" is a reference to another host (RFC 3986 §4.2), not a path.
    const local = location.startsWith('/') && !location.startsWith('//');
    return local && draft.fields.length === 2 ? 'local-redirect' : 'client-redirect';
  }
  return status >= 300 && status <= 399 && status !== 304 ? 'client-redirect' : 'document';
}

/** The rest of the line without optional whitespace around it: SP and HTAB only, RFC 9110 §5.6.3. */
function trimOws(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isOws(line.charCodeAt(start))) start++;
  while (end > start && isOws(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

function isOws(character: number): boolean {
  return character === 0x20 || character === 0x09;
}

function malformed(code: ScgiErrorCode, text: string): RemoteProtocolError {
  return new RemoteProtocolError(code, { text: text.slice(0, 40) });
}
