// The inside of the request netstring: NUL-terminated names and values, and what they say about the body.
// Works on a whole payload; framing it is the decoder's business. What the variables mean for HTTP is not known here.

import { parseContentLength } from './content-length.js';
import { LocalProtocolError, RemoteProtocolError } from './errors.js';

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
  /** The variable without which the rule would say what CONTENT_LENGTH says; undefined: ask it every time. */
  readonly bodyLengthWitness: string | undefined;
}

const missing = -1;
const conflicting = -2;

/**
 * Reads a whole netstring payload.
 * @throws RemoteProtocolError with the code of the first rule that is broken
 */
export function readHead(text: string, rules: HeadRules): RequestHead {
  if (text.charCodeAt(text.length - 1) !== 0) throw new RemoteProtocolError('ERR_SCGI_HEAD_NOT_TERMINATED');
  const variables: string[] = [];
  const maxStrings = 2 * rules.maxVariables;
  let contentLength = missing;
  let versioned = false;
  let witnessed = rules.bodyLengthWitness === undefined;
  // One walk that cuts and checks is about half again as fast as split() and a second pass.
  for (let start = 0; start < text.length;) {
    const nameEnd = text.indexOf('\0', start);
    const valueEnd = text.indexOf('\0', nameEnd + 1);
    if (valueEnd === -1) throw new RemoteProtocolError('ERR_SCGI_HEAD_ODD_STRINGS');
    if (nameEnd === start) throw new RemoteProtocolError('ERR_SCGI_VARIABLE_NAME_EMPTY');
    if (variables.length === maxStrings) throw tooManyVariables(rules);
    const name = text.slice(start, nameEnd);
    const value = text.slice(nameEnd + 1, valueEnd);
    variables.push(name, value);
    // The length first: most names cost no comparison of strings.
    if (name.length === 14 && isContentLength(name)) {
      contentLength = addContentLength(contentLength, value, rules);
    } else if (name.length === 4 && name === 'SCGI') {
      // A marker of the protocol, not a meta-variable: it counts only if spelt like this.
      if (value !== '1') throw new RemoteProtocolError('ERR_SCGI_VERSION', { value: excerpt(value) });
      versioned = true;
    } else if (name === rules.bodyLengthWitness) {
      witnessed = true;
    }
    start = valueEnd + 1;
  }
  if (!versioned && !rules.lax) throw new RemoteProtocolError('ERR_SCGI_VERSION', { fault: 'missing' });
  if (rules.strict) checkStrict(variables);
  return { variables, bodyLength: resolveBodyLength(variables, contentLength, rules, witnessed), bytes: text.length };
}

function tooManyVariables({ maxVariables }: HeadRules): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_TOO_MANY_VARIABLES', { maxVariables });
}

// RFC 3875 §4.1: names of meta-variables are case-insensitive.
function isContentLength(name: string): boolean {
  return name === 'CONTENT_LENGTH' || name.toUpperCase() === 'CONTENT_LENGTH';
}

/** What CONTENT_LENGTH says so far, with one more of it. */
function addContentLength(soFar: number, value: string, rules: HeadRules): number {
  // nginx with `scgi_param CONTENT_LENGTH $content_length` repeats it, empty where there is no body: that says nothing.
  if (value === '' && soFar !== missing && !rules.strict) return soFar;
  const length = readContentLength(value, rules.lax);
  return soFar === missing || soFar === length ? length : conflicting;
}

function readContentLength(value: string, lax: boolean): number {
  // cgi2scgi passes on an empty CONTENT_LENGTH of its web server.
  if (lax && value === '') return 0;
  const length = parseContentLength(value);
  if (length === undefined) throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { value: excerpt(value) });
  return length;
}

function resolveBodyLength(
  variables: readonly string[],
  contentLength: number,
  rules: HeadRules,
  witnessed: boolean,
): number {
  const bodyLength = trustedBodyLength(variables, contentLength, rules, witnessed);
  const { maxBodyBytes } = rules;
  if (bodyLength > maxBodyBytes) throw new RemoteProtocolError('ERR_SCGI_BODY_TOO_LARGE', { bodyLength, maxBodyBytes });
  return bodyLength;
}

function trustedBodyLength(
  variables: readonly string[],
  contentLength: number,
  rules: HeadRules,
  witnessed: boolean,
): number {
  if (contentLength === missing) {
    if (rules.lax) return 0;
    throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'missing' });
  }
  if (rules.bodyLength !== undefined && witnessed && !rules.strict) return askRule(rules.bodyLength, variables);
  if (contentLength === conflicting) {
    throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'contradictory' });
  }
  return contentLength;
}

function askRule(rule: BodyLengthRule, variables: readonly string[]): number {
  const value = rule(variables);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'bodyLength', value });
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
function excerpt(value = ''): string {
  return value.slice(0, 40);
}
