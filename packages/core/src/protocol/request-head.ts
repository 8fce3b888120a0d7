// The inside of the request netstring: NUL-terminated names and values, and what they say about the body.
// Works on a whole payload; framing it is the decoder's business. What the variables mean for HTTP is not known here.

import { parseContentLength } from './content-length.js';
import { BackendError, LocalProtocolError, RemoteProtocolError } from './errors.js';

/** A decoded request head. Keeps the text that arrived and cuts it up when asked: most variables are never looked at. */
export class RequestHead {
  /** The netstring payload as latin1: names and values in turn, a NUL behind each. */
  readonly text: string;
  /** Length of the request body in bytes. */
  readonly bodyLength: number;
  #variables: readonly string[] | undefined;

  constructor(text: string, bodyLength: number) {
    this.text = text;
    this.bodyLength = bodyLength;
    this.#variables = undefined;
  }

  /** Size of the netstring payload in bytes. */
  get bytes(): number {
    return this.text.length;
  }

  /** Flat: name, value, name, value … as latin1 strings, in wire order, duplicates kept. */
  get variables(): readonly string[] {
    // The final NUL would leave an empty string behind.
    return (this.#variables ??= this.text.slice(0, -1).split('\0'));
  }
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
const letterR = 0x52;

/**
 * Reads a whole netstring payload.
 * @throws RemoteProtocolError with the code of the first rule that is broken
 */
export function readHead(text: string, rules: HeadRules): RequestHead {
  if (text.charCodeAt(text.length - 1) !== 0) throw new RemoteProtocolError('ERR_SCGI_HEAD_NOT_TERMINATED');
  let count = 0;
  let contentLength = missing;
  let versioned = false;
  let witnessed = rules.bodyLengthWitness === undefined;
  for (let start = 0; start < text.length;) {
    const nameEnd = text.indexOf('\0', start);
    const valueEnd = text.indexOf('\0', nameEnd + 1);
    if (valueEnd === -1) throw new RemoteProtocolError('ERR_SCGI_HEAD_ODD_STRINGS');
    if (nameEnd === start) throw new RemoteProtocolError('ERR_SCGI_VARIABLE_NAME_EMPTY');
    if (count === rules.maxVariables) throw tooManyVariables(rules);
    count += 1;
    // The length first: most names cost no comparison, and none but these is made a string.
    const length = nameEnd - start;
    if (length === 14 && isContentLength(text.slice(start, nameEnd))) {
      contentLength = addContentLength(contentLength, text.slice(nameEnd + 1, valueEnd), rules);
    } else if (length === 4 && text.startsWith('SCGI', start)) {
      // A marker of the protocol, not a meta-variable: it counts only if spelt like this.
      checkVersion(text.slice(nameEnd + 1, valueEnd));
      versioned = true;
    } else if (length === rules.bodyLengthWitness?.length && text.startsWith(rules.bodyLengthWitness, start)) {
      witnessed = true;
    }
    start = valueEnd + 1;
  }
  if (!versioned && !rules.lax) throw new RemoteProtocolError('ERR_SCGI_VERSION', { fault: 'missing' });
  if (rules.strict) checkStrict(text.slice(0, -1).split('\0'));
  const bodyLength = resolveBodyLength(text, contentLength, rules, witnessed);
  return new RequestHead(text, bodyLength);
}

function checkVersion(value: string): void {
  if (value !== '1') throw new RemoteProtocolError('ERR_SCGI_VERSION', { value: excerpt(value) });
}

function tooManyVariables({ maxVariables }: HeadRules): RemoteProtocolError {
  return new RemoteProtocolError('ERR_SCGI_TOO_MANY_VARIABLES', { maxVariables });
}

// RFC 3875 §4.1: names of meta-variables are case-insensitive. REQUEST_METHOD is as long and comes with every request.
function isContentLength(name: string): boolean {
  return name === 'CONTENT_LENGTH' || (name.charCodeAt(0) !== letterR && name.toUpperCase() === 'CONTENT_LENGTH');
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

function resolveBodyLength(text: string, contentLength: number, rules: HeadRules, witnessed: boolean): number {
  const bodyLength = trustedBodyLength(text, contentLength, rules, witnessed);
  const { maxBodyBytes } = rules;
  if (bodyLength > maxBodyBytes) throw new RemoteProtocolError('ERR_SCGI_BODY_TOO_LARGE', { bodyLength, maxBodyBytes });
  return bodyLength;
}

function trustedBodyLength(text: string, contentLength: number, rules: HeadRules, witnessed: boolean): number {
  if (contentLength === missing) {
    // Apache gives CGI programs a body that came in chunks, and no length: whoever passes that on must not lose the body.
    if (text.includes('\0HTTP_TRANSFER_ENCODING\0')) throw new BackendError('ERR_SCGI_LENGTH_REQUIRED');
    if (rules.lax) return 0;
    throw new RemoteProtocolError('ERR_SCGI_CONTENT_LENGTH', { fault: 'missing' });
  }
  if (rules.bodyLength !== undefined && witnessed && !rules.strict)
    return askRule(rules.bodyLength, text.slice(0, -1).split('\0'));
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
