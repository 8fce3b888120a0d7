// The header fields of an HTTP request that go on to an SCGI server, by name. Lets nothing through that is meant for the
// hop to the client, and nothing that could pass for another field behind it.

import { parseContentLength } from '../protocol/content-length.js';
import { LocalProtocolError } from '../protocol/errors.js';
import { isToken } from '../protocol/field-syntax.js';
import { listTokens, trimFieldValue } from './fields.js';
import { fieldVariable, isSingleValued, knownFieldVariable } from './variable-names.js';

/** Fields by their name in lower case, as `req.headers`: repetitions are joined, or in a list. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Which fields go on. */
export interface FieldRules {
  /** Whether Upgrade does, for an upgrade that the gateway will tunnel. */
  readonly upgrade?: boolean | undefined;
  /** Whether names with `_` do. */
  readonly underscoreFields?: boolean | undefined;
}

// Fields for this hop only (RFC 9110 §7.6.1), or that a backend must not see; variable-names.ts has the reasons.
const withheldFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length', // CONTENT_LENGTH is the encoder's, from the body it is given
  'expect',
  'keep-alive',
  'proxy',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Gathers the fields of one request. */
export class HttpFields {
  readonly #rules: FieldRules;
  /** By their name in lower case, in the order they came. */
  readonly values: Map<string, string>;
  /** What Connection names. */
  #named: Set<string> | undefined;
  #upgrade: string | undefined;
  #underscored: string[] | undefined;

  constructor(rules: FieldRules) {
    this.#rules = rules;
    this.values = new Map();
    this.#named = undefined;
    this.#upgrade = undefined;
    this.#underscored = undefined;
  }

  /**
   * Takes names and values in turn.
   * @throws LocalProtocolError ERR_SCGI_VARIABLE for a name no HTTP parser lets through
   */
  takeFlat(fields: readonly string[]): void {
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index];
      if (name?.length === 'connection'.length && name.toLowerCase() === 'connection') this.#name(fields[index + 1]);
    }
    for (let index = 0; index < fields.length; index += 2) {
      this.#take((fields[index] ?? '').toLowerCase(), fields[index + 1] ?? '');
    }
    this.#finish();
  }

  /**
   * Takes fields by their names.
   * @throws LocalProtocolError as `takeFlat`
   */
  takeHeaders(headers: HttpHeaders): void {
    this.#name(joined(headers['connection']));
    for (const name of Object.keys(headers)) {
      const value = joined(headers[name]);
      if (value === undefined) continue;
      const lowerCase = name.toLowerCase();
      // Whoever has set X-User beside the client's x-user means his own.
      if (lowerCase !== name) this.values.delete(lowerCase);
      else if (this.values.has(name)) continue;
      this.#take(lowerCase, value);
    }
    this.#finish();
  }

  #name(connection: string | undefined): void {
    if (connection === undefined || connection === 'keep-alive' || connection === 'close') return;
    this.#named ??= new Set();
    // Not these two, whatever Connection says: without them the request would be another one (RFC 9110 §7.6.1).
    for (const name of listTokens(connection)) if (name !== 'host' && name !== 'content-type') this.#named.add(name);
  }

  #take(name: string, rawValue: string): void {
    const value = trimFieldValue(rawValue);
    if (this.#isWithheld(name)) {
      if (name === 'upgrade') this.#upgrade = joinValues(name, this.#upgrade, value);
      // CONTENT_LENGTH is "0" for none as well; only this tells that the client announced an empty body, as nginx tells it.
      if (name !== 'content-length' || parseContentLength(value) !== 0) return;
    }
    if (name.includes('_')) {
      if (this.#rules.underscoreFields === true) (this.#underscored ??= []).push(name, value);
      return;
    }
    if (knownFieldVariable(name) === undefined) checkName(name);
    this.values.set(name, joinValues(name, this.values.get(name), value));
  }

  #isWithheld(name: string): boolean {
    return withheldFields.has(name) || this.#named?.has(name) === true;
  }

  #finish(): void {
    if (this.#underscored !== undefined) this.#addUnderscored(this.#underscored);
    if (this.#rules.upgrade === true && this.#upgrade !== undefined) {
      this.values.set('connection', 'upgrade');
      this.values.set('upgrade', this.#upgrade);
    }
  }

  /** A field is dropped if the variable it makes is another one's: of `X-User` and `X_User` the first is the real one. */
  #addUnderscored(underscored: readonly string[]): void {
    const owners = new Map<string, string>();
    for (const name of this.values.keys()) owners.set(fieldVariable(name), name);
    for (let index = 0; index < underscored.length; index += 2) {
      const name = underscored[index] ?? '';
      const plain = name.replaceAll('_', '-');
      // Content_Type and Content_Length would be taken for what the client says of its body.
      if (this.#isWithheld(plain) || plain === 'content-type') continue;
      checkName(name);
      const variable = fieldVariable(name);
      const owner = owners.get(variable) ?? name;
      if (owner !== name) continue;
      owners.set(variable, name);
      this.values.set(name, joinValues(name, this.values.get(name), underscored[index + 1] ?? ''));
    }
  }
}

function joined(value: string | readonly string[] | undefined): string | undefined {
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}

function checkName(name: string): void {
  if (!isToken(name)) throw new LocalProtocolError('ERR_SCGI_VARIABLE', { name: name.slice(0, 80) });
}

// Of a field with one value the first one counts: that is the one Node shows to the gateway itself.
function joinValues(name: string, earlier: string | undefined, value: string): string {
  if (earlier === undefined) return value;
  if (isSingleValued(fieldVariable(name))) return earlier;
  return name === 'cookie' ? `${earlier}; ${value}` : `${earlier}, ${value}`;
}
