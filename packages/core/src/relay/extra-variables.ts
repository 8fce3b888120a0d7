// Variables that do not come from the request: inherited from this process, from the application's state, and those the
// gateway vouches for. Owns who wins over whom: `env`, then the request, then the state, then the environment.

import { LocalProtocolError } from '../protocol/index.js';

/** Variables by name. Text is sent as UTF-8; undefined and null are left out. */
export type VariableRecord = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The options of `GatewayOptions` that this is about. */
export interface ExtraVariableOptions<Incoming> {
  readonly inheritEnvironment?: boolean | readonly string[] | undefined;
  readonly appState?: object | undefined;
  readonly appStateKeys?: readonly string[] | undefined;
  readonly appStatePrefix?: string | undefined;
  readonly env?: VariableRecord | ((request: Incoming) => VariableRecord) | undefined;
}

interface StateKey {
  readonly key: string;
  readonly variable: string;
}

// What a request says (RFC 3875 §4.1 and what web servers add). A value from elsewhere would pass for the request's.
const requestNames: ReadonlySet<string> = new Set([
  'AUTH_TYPE',
  'CONTENT_LENGTH',
  'CONTENT_TYPE',
  'DOCUMENT_ROOT',
  'DOCUMENT_URI',
  'GATEWAY_INTERFACE',
  'HTTPS',
  'PATH_INFO',
  'PATH_TRANSLATED',
  'PROXY',
  'QUERY_STRING',
  'REMOTE_ADDR',
  'REMOTE_HOST',
  'REMOTE_IDENT',
  'REMOTE_PORT',
  'REMOTE_USER',
  'REQUEST_METHOD',
  'REQUEST_SCHEME',
  'REQUEST_URI',
  'SCGI',
  'SCRIPT_FILENAME',
  'SCRIPT_NAME',
  'SERVER_ADDR',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'SERVER_SOFTWARE',
]);
const requestPrefixes = /^(?:HTTP_|REDIRECT_|SSL_CLIENT_|TLS_CLIENT_)/;

/** The encoder's own, and the one that must never be sent: CVE-2016-5385 and its kin. */
const forbiddenNames: ReadonlySet<string> = new Set(['CONTENT_LENGTH', 'SCGI', 'HTTP_PROXY']);

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Adds to the variables of a request. */
export class ExtraVariables<Incoming> {
  /** Flat, what is the same for every request. */
  readonly #inherited: readonly string[];
  readonly #state: Readonly<Record<string, unknown>> | undefined;
  readonly #stateKeys: readonly StateKey[];
  readonly #env: VariableRecord | undefined;
  readonly #envOf: ((request: Incoming) => VariableRecord) | undefined;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for a name that no variable can have, or that belongs to the request */
  constructor(options: ExtraVariableOptions<Incoming>) {
    const { inheritEnvironment = false, appState, appStateKeys = [], appStatePrefix = 'APP_', env } = options;
    if (appStateKeys.length > 0 && (typeof appState !== 'object' || appState === null)) {
      throw refuse('appStateKeys', appStateKeys.join(', '), 'there is no appState to read them from');
    }
    // Not a copy: the state is read at each request.
    this.#state = Object(appState);
    this.#stateKeys = resolveStateKeys(appStateKeys, appStatePrefix);
    this.#env = typeof env === 'function' ? undefined : env;
    this.#envOf = typeof env === 'function' ? env : undefined;
    for (const name of Object.keys(this.#env ?? {})) checkName('env', name);
    this.#inherited = this.#inherit(inheritEnvironment);
  }

  /** Reads the environment once: reading `process.env` costs more than the rest of a request's variables. */
  #inherit(option: boolean | readonly string[]): string[] {
    const names = typeof option === 'boolean' ? (option ? Object.keys(process.env) : []) : option;
    const taken = new Set(this.#stateKeys.map(({ variable }) => variable));
    const variables: string[] = [];
    for (const name of names) {
      const upper = name.toUpperCase();
      if (option !== true && !identifier.test(name)) {
        throw refuse('inheritEnvironment', name, 'not the name of a variable');
      }
      if (option !== true && isRequestName(upper)) {
        throw refuse('inheritEnvironment', name, 'the variable belongs to the request');
      }
      const value = process.env[name];
      if (value === undefined || !identifier.test(name) || isRequestName(upper) || taken.has(upper)) continue;
      taken.add(upper);
      variables.push(name, utf8(value));
    }
    return variables;
  }

  #addInherited(variables: string[]): void {
    const inherited = this.#inherited;
    for (let index = 0; index < inherited.length; index += 2) {
      const [name = '', value = ''] = inherited.slice(index, index + 2);
      // None may be there twice.
      if (!hasName(variables, name)) variables.push(name, value);
    }
  }

  /**
   * Appends to the flat `variables` of `request`, or replaces in them.
   * @throws {LocalProtocolError} ERR_SCGI_OPTION for a name from the `env` function that is impossible
   */
  addTo(variables: string[], request: Incoming): void {
    this.#addInherited(variables);
    for (const { key, variable } of this.#stateKeys) {
      const value = this.#state?.[key];
      if (value !== undefined && value !== null) variables.push(variable, utf8(String(value)));
    }
    if (this.#env !== undefined) setAll(variables, this.#env);
    if (this.#envOf !== undefined) {
      const record = this.#envOf(request);
      for (const name of Object.keys(record)) checkName('env', name);
      setAll(variables, record);
    }
  }
}

function hasName(variables: readonly string[], name: string): boolean {
  return variables.some((text, index) => index % 2 === 0 && text === name);
}

function resolveStateKeys(keys: readonly string[], prefix: string): StateKey[] {
  const taken = new Set<string>();
  return keys.map((key) => {
    const variable = `${prefix}${key}`.toUpperCase();
    if (!identifier.test(variable)) throw refuse('appStateKeys', key, 'does not make the name of a variable');
    if (isRequestName(variable)) throw refuse('appStateKeys', key, `${variable} belongs to the request`);
    if (taken.has(variable)) throw refuse('appStateKeys', key, `${variable} is there twice`);
    taken.add(variable);
    return { key, variable };
  });
}

/** Upper-case names that only a request may say. */
function isRequestName(upper: string): boolean {
  return requestNames.has(upper) || requestPrefixes.test(upper);
}

function checkName(option: string, name: string): void {
  if (!identifier.test(name)) throw refuse(option, name, 'not the name of a variable');
  if (forbiddenNames.has(name.toUpperCase())) throw refuse(option, name, 'cannot be set');
}

/** Names of variables are case-insensitive (RFC 3875 §4.1), and none may be sent twice. */
function setAll(variables: string[], record: VariableRecord): void {
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined || value === null) continue;
    const upper = name.toUpperCase();
    let at = 0;
    while (at < variables.length && variables[at]?.toUpperCase() !== upper) at += 2;
    variables[at] = name;
    variables[at + 1] = utf8(String(value));
  }
}

/** Variables are octets, one a character. */
function utf8(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function refuse(option: string, value: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, value, problem });
}
