// What each variable name means: a fact of the request, a header field, or nothing to us.
// Owns the name tables and the mapping HTTP_X_Y → x-y. Knows nothing of values, except which fields may repeat.

import { RemoteProtocolError } from '../protocol/errors.js';
import { Slot } from './request-facts.js';

/** What to do with a variable of a certain name. */
export interface VariableRule {
  readonly slot: Slot;
  /** Lower-case field name if `slot` is `Slot.field`, else empty. */
  readonly field: string;
  /** A bit of its own for a field that has one value; 0 for a field that may repeat. */
  readonly singleBit: number;
  /** The variable's name; empty for one that is not listed. */
  readonly name: string;
  /**
   * The rule of the variable that came behind this one most lately. A front end sends its variables in one order, so
   * this is mostly right, and comparing with one name is cheaper than making a string and looking it up.
   */
  follower: VariableRule | undefined;
}

const factSlots: Readonly<Record<string, Slot>> = {
  REQUEST_METHOD: Slot.method,
  REQUEST_URI: Slot.requestUri,
  SCRIPT_NAME: Slot.scriptName,
  PATH_INFO: Slot.pathInfo,
  DOCUMENT_URI: Slot.documentUri,
  QUERY_STRING: Slot.queryString,
  SERVER_PROTOCOL: Slot.protocol,
  REQUEST_SCHEME: Slot.scheme,
  HTTPS: Slot.https,
  REMOTE_ADDR: Slot.remoteAddress,
  REMOTE_PORT: Slot.remotePort,
  SERVER_NAME: Slot.serverName,
  SERVER_ADDR: Slot.serverAddress,
  SERVER_PORT: Slot.serverPort,
  SERVER_SOFTWARE: Slot.serverSoftware,
  SCRIPT_FILENAME: Slot.scriptFilename,
  CONTENT_TYPE: Slot.contentType,
  HTTP_CONTENT_LENGTH: Slot.clientContentLength,
  HTTP_CONNECTION: Slot.connection,
  HTTP_UPGRADE: Slot.upgrade,
  REDIRECT_URL: Slot.redirectUrl,
  REDIRECT_REQUEST_METHOD: Slot.redirectMethod,
};

// Variables that every request of a front end has and that say nothing here.
const ignoredVariables: readonly string[] = [
  'CONTENT_LENGTH',
  'SCGI',
  'DOCUMENT_ROOT',
  'GATEWAY_INTERFACE',
  'REDIRECT_STATUS',
];

// Variables that look like fields and must not become any.
const droppedFields: readonly string[] = [
  'content-type', // CONTENT_TYPE is the same and says it for every front end
  'expect', // answered by the front end, which alone can send 100 Continue
  'keep-alive', // about the client's connection, which is not ours
  'proxy', // no such field exists: as HTTP_PROXY it hijacks outgoing requests of CGI-style programs (httpoxy, CVE-2016-5385)
  'proxy-connection',
  'te',
  'trailer', // nginx announces it although it has thrown the trailers away
  'transfer-encoding', // nginx sends it although it has taken the chunks apart
];

// The fields of which Node keeps one value (matchKnownFields in lib/_http_incoming.js).
const singleFields: readonly string[] = [
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
];

// Fields that browsers and proxies send all day: only here to save the work of spelling their names.
const commonFields: readonly string[] = [
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'access-control-request-headers',
  'access-control-request-method',
  'cache-control',
  'cdn-loop',
  'content-disposition',
  'content-encoding',
  'content-language',
  'cookie',
  'date',
  'dnt',
  'forwarded',
  'if-match',
  'if-none-match',
  'if-range',
  'last-event-id',
  'origin',
  'pragma',
  'prefer',
  'priority',
  'range',
  'save-data',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-gpc',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'traceparent',
  'tracestate',
  'upgrade-insecure-requests',
  'via',
  'x-csrf-token',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
  'x-requested-with',
];

const ignored: VariableRule = { slot: Slot.ignored, field: '', singleBit: 0, name: '', follower: undefined };
const singleVariables: ReadonlySet<string> = new Set(singleFields.map(spellVariable));
const fieldVariables: ReadonlyMap<string, string> = createFieldVariables();
const fieldCharacters: readonly (string | undefined)[] = createFieldCharacters();
const rules: ReadonlyMap<string, VariableRule> = createRules();

/**
 * The rule for the variable whose name is `text` from `start` to `end`.
 * @param previous the rule of the variable before it
 * @throws RemoteProtocolError ERR_SCGI_REQUEST_FIELD
 */
export function ruleAt(text: string, start: number, end: number, previous: VariableRule): VariableRule {
  const guess = previous.follower;
  if (guess !== undefined && guess.name.length === end - start && text.startsWith(guess.name, start)) return guess;
  const rule = variableRule(text.slice(start, end));
  // Unlisted names are the clients' choice and are not remembered.
  if (rule.name !== '' && previous.name !== '') previous.follower = rule;
  return rule;
}

/** The rule that comes before the first variable. */
export const beforeFirst: VariableRule = {
  slot: Slot.ignored,
  field: '',
  singleBit: 0,
  name: 'before the first',
  follower: undefined,
};

/** What to do with the variable of this name, in any case of letters. @throws RemoteProtocolError ERR_SCGI_REQUEST_FIELD */
export function variableRule(name: string): VariableRule {
  return rules.get(name) ?? unlistedRule(name);
}

/** The name in upper case: variable names are case-insensitive (RFC 3875 §4.1). ASCII only, other bytes stay. */
export function upperCaseName(name: string): string {
  let upper = '';
  let from = 0;
  for (let index = 0; index < name.length; index++) {
    const code = name.charCodeAt(index);
    if (code < 0x61 || code > 0x7a) continue;
    upper += name.slice(from, index) + String.fromCharCode(code - 0x20);
    from = index + 1;
  }
  return from === 0 ? name : upper + name.slice(from);
}

/** Whether the last of several variables of this upper-case name counts alone, instead of all of them joined. */
export function isSingleValued(name: string): boolean {
  return !name.startsWith('HTTP_') || singleVariables.has(name);
}

/** HTTP_X_Y for x-y. */
export function fieldVariable(field: string): string {
  return fieldVariables.get(field) ?? spellVariable(field);
}

function spellVariable(field: string): string {
  return `HTTP_${field.toUpperCase().replaceAll('-', '_')}`;
}

/** The same for the fields that are listed here, undefined for others. */
export function knownFieldVariable(field: string): string | undefined {
  return fieldVariables.get(field);
}

function createFieldVariables(): Map<string, string> {
  return new Map([...commonFields, ...singleFields].map((field) => [field, spellVariable(field)]));
}

function createRules(): Map<string, VariableRule> {
  const table = new Map<string, VariableRule>();
  const add = (name: string, slot: Slot, field: string, singleBit: number): void => {
    table.set(name, { slot, field, singleBit, name, follower: undefined });
  };
  for (const field of commonFields) add(fieldVariable(field), Slot.field, field, 0);
  singleFields.forEach((field, index) => add(fieldVariable(field), Slot.field, field, 1 << index));
  for (const field of droppedFields) add(fieldVariable(field), Slot.ignored, '', 0);
  for (const name of ignoredVariables) add(name, Slot.ignored, '', 0);
  for (const [name, slot] of Object.entries(factSlots)) add(name, slot, '', 0);
  return table;
}

// Not cached: a cache keyed by what clients send would need bounds in number and in size, to save 0.2 µs a field.
function unlistedRule(name: string): VariableRule {
  const isField = name.startsWith('HTTP_');
  const field = isField ? fieldName(name) : '';
  if (field !== '') return { slot: Slot.field, field, singleBit: 0, name: '', follower: undefined };
  const upper = upperCaseName(name);
  if (upper !== name) return variableRule(upper);
  if (isField) throw new RemoteProtocolError('ERR_SCGI_REQUEST_FIELD', { name: name.slice(0, 80) });
  return ignored;
}

// Only tokens come out (RFC 9110 §5.1), or nothing. nginx with `ignore_invalid_headers off` sends HTTP_X.DOT, which is one.
function fieldName(variable: string): string {
  let field = '';
  for (let index = 'HTTP_'.length; index < variable.length; index++) {
    const character = fieldCharacters[variable.charCodeAt(index)];
    if (character === undefined) return '';
    field += character;
  }
  return field;
}

// By character code of a variable's name: what stands for it in the field's name.
function createFieldCharacters(): (string | undefined)[] {
  const characters: (string | undefined)[] = Array.from<undefined>({ length: 0x80 });
  for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
    characters[character.charCodeAt(0)] = character === '_' ? '-' : character.toLowerCase();
  }
  return characters;
}
