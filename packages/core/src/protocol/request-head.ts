// The inside of the request netstring: NUL-terminated names and values, and what they say about the body.
// Works on a whole payload; framing it is the decoder's business. What the variables mean for HTTP is not known here.

import { parseContentLength } from './content-length.js';
import { RemoteProtocolError } from './errors.js';

/** A decoded request head. */
export interface RequestHead {
  /** Flat: name, value, name, value … as latin1 strings, in wire order, duplicates kept. */
  readonly variables: readonly string[];
  /** Length of the request body in bytes. */
  readonly bodyLength: number;
  /** Size of the netstring payload in bytes. */
  readonly bytes: number;
}

/**
 * Decides how long the body is where a front end's CONTENT_LENGTH cannot be taken at its word.
 * Called after every CONTENT_LENGTH proved to be a valid length, at least one present; they may differ.
 * May throw a RemoteProtocolError.
 */
export type BodyLengthRule = (variables: readonly string[]) => number;

/** What a head must satisfy. */
export interface HeadRules {
  readonly maxVariables: number;
  readonly maxBodyBytes: number;
  readonly strict: boolean;
  readonly lax: boolean;
  readonly bodyLength: BodyLengthRule | undefined;
}

/**
 * Reads a whole netstring payload.
 * @throws RemoteProtocolError with the code of the first rule that is broken
 */
export function readHead(text: string, rules: HeadRules): RequestHead {
  const variables = splitVariables(text, rules.maxVariables);
  const contentLength = checkVariables(variables, rules);
  if (rules.strict) checkStrict(variables);
  const bodyLength = resolveBodyLength(variables, contentLength, rules);
  if (bodyLength > rules.maxBodyBytes) {
    throw new RemoteProtocolError('ERR_SCGI_BODY_TOO_LARGE', {
      bodyLength,
      maxBodyBytes: rules.maxBodyBytes,
    });
  }
  return { variables, bodyLength, bytes: text.length };
}

function splitVariables(text: string, maxVariables: number): string[] {
  if (text.charCodeAt(text.length - 1) !== 0) throw new RemoteProtocolError('ERR_SCGI_HEAD_NOT_TERMINATED');
  // The final NUL leaves an empty string behind. One string more than allowed is enough to see that there are too many.
  const strings = text.split('\0', Math.min(2 * maxVariables + 2, 0xffff_ffff));
  if (strings.length > 2 * maxVariables + 1) {
    throw new RemoteProtocolError('ERR_SCGI_TOO_MANY_VARIABLES', { maxVariables });
  }
  strings.pop();
  if (strings.length % 2 !== 0) throw new RemoteProtocolError('ERR_SCGI_HEAD_ODD_STRINGS', { strings: strings.length });
  return strings;
}

const missing = -1;
const conflicting = -2;

/** Checks the names, SCGI and CONTENT_LENGTH in one pass; returns the content length, `missing` or `conflicting`. */
function checkVariables(variables: readonly string[], rules: HeadRules): number {
  let contentLength = missing;
  let versioned = false;
  for (let index = 0; index < variables.length; index += 2) {
    const name = variables[index] ?? '';
    // Length first: the other names cost no string comparison.
    switch (name.length) {
      case 0:
        throw new RemoteProtocolError('ERR_SCGI_VARIABLE_NAME_EMPTY', { index: index / 2 });
      case 4:
        // A marker of the protocol, not a meta-variable: only exactly this name counts.
        if (name === 'SCGI') {
          checkVersion(variables[index + 1]);
          versioned = true;
        }
        break;
      case 14:
        if (isContentLength(name)) {
          const length = readContentLength(variables[index + 1] ?? '', rules.lax);
          contentLength = contentLength === missing || contentLength === length ? length : conflicting;
        }
        break;
    }
  }
  if (!versioned && !rules.lax) throw new RemoteProtocolError('ERR_SCGI_VERSION');
  return contentLength;
}

// RFC 3875 §4.1: names of meta-variables are case-insensitive.
function isContentLength(name: string): boolean {
  return name === 'CONTENT_LENGTH' || name.toUpperCase() === 'CONTENT_LENGTH';
}

function checkVersion(value: string | undefined): void {
  if (value !== '1') throw new RemoteProtocolError('ERR_SCGI_VERSION', { value: excerpt(value) });
}

function readContentLength(value: string, lax: boolean): number {
  // cgi2scgi passes on an empty CONTENT_LENGTH of its web server.
  if (lax && value === '') return 0;
  const length = parseContentLength(value);
  if (length === undefined) throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { value: excerpt(value) });
  return length;
}

function resolveBodyLength(variables: readonly string[], contentLength: number, rules: HeadRules): number {
  if (contentLength === missing) {
    if (rules.lax) return 0;
    throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'missing' });
  }
  if (rules.bodyLength !== undefined && !rules.strict) return rules.bodyLength(variables);
  if (contentLength === conflicting)
    throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'contradictory' });
  return contentLength;
}

/** The specification, "Request Format": no name twice, and CONTENT_LENGTH is the first. */
function checkStrict(variables: readonly string[]): void {
  const names = new Set<string>();
  for (let index = 0; index < variables.length; index += 2) {
    const name = (variables[index] ?? '').toLowerCase();
    if (names.has(name)) throw new RemoteProtocolError('ERR_SCGI_DUPLICATE_VARIABLE', { name: excerpt(name) });
    names.add(name);
  }
  if (names.has('content_length') && variables[0] !== 'CONTENT_LENGTH') {
    throw new RemoteProtocolError('ERR_SCGI_VARIABLE_ORDER', { first: excerpt(variables[0]) });
  }
}

/** Enough of a value to recognise it in a log. */
function excerpt(value: string | undefined): string | undefined {
  return value?.slice(0, 40);
}
