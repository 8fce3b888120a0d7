// The env: all variables of a request as one object, the way a CGI program would see them.
// Keeps what arrived; what it means for HTTP is the business of request.ts.

import { isSingleValued, upperCaseName } from './variable-names.js';

/** Meta-variables (RFC 3875 §4.1) by upper-case name. No prototype; values are latin1 strings: one character, one octet. */
export type CgiEnv = Readonly<Record<string, string | undefined>>;

/**
 * Collects a flat list of names and values into an env. Of a name that comes twice the last value counts, which is how
 * nginx users override `include scgi_params`; but HTTP_* repeat because the client repeated the field (nginx before
 * 1.23), so they are joined with `, `, HTTP_COOKIE with `; ` (RFC 9113 §8.2.3), unless the field has one value only.
 * HTTP_PROXY is left out: nginx passes the client's `Proxy` field on, and whoever copies the env into the environment of a
 * process lets the client choose its proxy (CVE-2016-5385).
 */
export function createEnv(variables: readonly string[]): CgiEnv {
  const env: Record<string, string | undefined> = Object.create(null);
  for (let index = 0; index < variables.length; index += 2) {
    const name = upperCaseName(variables[index] ?? '');
    if (name === 'HTTP_PROXY') continue;
    const value = variables[index + 1] ?? '';
    const earlier = env[name];
    if (earlier === undefined || isSingleValued(name)) env[name] = value;
    else env[name] = name === 'HTTP_COOKIE' ? `${earlier}; ${value}` : `${earlier}, ${value}`;
  }
  return env;
}
