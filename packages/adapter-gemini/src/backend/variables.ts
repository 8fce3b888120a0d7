// The variables of a Gemini request for an SCGI backend. Names and forms are those of the Gemini servers that came before;
// where they differ, the comment names whom we follow. Pure: sends nothing.

import type { ClientCertificate, GeminiRequest } from '../request.js';
import { toOctets } from '../percent.js';
import type { VariableSettings } from './options.js';

/**
 * Flat: name, value, name, value …, without SCGI and CONTENT_LENGTH, which the encoder adds. The environment comes first,
 * then the application's state, so that neither can pass for a fact about the request; `env` comes last.
 */
export function requestVariables(request: GeminiRequest, settings: VariableSettings): string[] {
  const variables = new Map<string, readonly [name: string, value: string]>();
  const set = (name: string, value: string | undefined): void => {
    // Names that differ in case only are one to the receiver.
    if (value !== undefined) variables.set(name.toUpperCase(), [name, value]);
  };
  inherit(settings, set);
  shareState(request, settings, set);
  describeRequest(request, set);
  describeCertificate(request.certificate, set);
  const { env } = settings;
  for (const [name, value] of Object.entries(typeof env === 'function' ? env(request) : env)) set(name, value);
  variables.delete('SCGI');
  variables.delete('CONTENT_LENGTH');
  const flat: string[] = [];
  for (const [name, value] of variables.values()) flat.push(toOctets(name), toOctets(value));
  return flat;
}

type Setter = (name: string, value: string | undefined) => void;

function inherit({ inheritEnvironment }: VariableSettings, set: Setter): void {
  if (inheritEnvironment === false) return;
  const names = inheritEnvironment === true ? Object.keys(process.env) : inheritEnvironment;
  for (const name of names) {
    // What only a request can say must not come from here when the request does not say it. And no HTTP_PROXY
    // (CVE-2016-5385).
    if (!requestNames.test(name)) set(name, process.env[name]);
  }
}

const requestNames = /^(?:HTTP_.*|TLS_.*|AUTH_TYPE|REMOTE_.*)$/i;

function shareState(request: GeminiRequest, settings: VariableSettings, set: Setter): void {
  const state = settings.appState ?? request.state;
  for (const key of settings.appStateKeys) {
    const value = state[key];
    if (value !== undefined && value !== null) set(settings.appStatePrefix + key.toUpperCase(), String(value));
  }
}

function describeRequest(request: GeminiRequest, set: Setter): void {
  set('GATEWAY_INTERFACE', 'CGI/1.1');
  set('SERVER_PROTOCOL', 'GEMINI');
  set('SERVER_SOFTWARE', 'scgi-gemini');
  // Gemini has no methods. gmid has GET here, and programs made for WSGI fail without one.
  set('REQUEST_METHOD', 'GET');
  set('GEMINI_URL', request.url);
  // The mount point, as RFC 3875 §4.1.13 has it. Xitzin leaves it empty, and its backends cannot make links to themselves.
  set('SCRIPT_NAME', request.scriptName);
  set('PATH_INFO', request.pathInfo);
  set('QUERY_STRING', request.query ?? '');
  set('SERVER_NAME', request.host);
  set('SERVER_PORT', String(request.port));
  set('REMOTE_ADDR', request.remoteAddress);
  // RFC 3875 §4.1.9: the address where the name is not looked up.
  set('REMOTE_HOST', request.remoteAddress);
  set('REMOTE_PORT', request.remotePort === undefined ? undefined : String(request.remotePort));
  set('TLS_VERSION', request.tls?.version);
  set('TLS_CIPHER', request.tls?.cipher);
}

function describeCertificate(certificate: ClientCertificate | undefined, set: Setter): void {
  // Xitzin's meaning: there is a certificate. Jetforce's: an authority has signed it, which in Gemini hardly any has.
  set('TLS_CLIENT_AUTHORISED', certificate === undefined ? '0' : '1');
  if (certificate === undefined) return;
  set('AUTH_TYPE', 'CERTIFICATE');
  // Bare lower-case hexadecimal, as Molly Brown's. Jetforce and gmid write `SHA256:` before it.
  set('TLS_CLIENT_HASH', certificate.fingerprint);
  set('REMOTE_USER', certificate.commonName ?? '');
  set('TLS_CLIENT_SUBJECT_CN', certificate.commonName);
  set('TLS_CLIENT_ISSUER_CN', certificate.issuerCommonName);
  set('TLS_CLIENT_SERIAL_NUMBER', certificate.serialNumber);
  set('TLS_CLIENT_NOT_BEFORE', certificate.notBefore?.toISOString());
  set('TLS_CLIENT_NOT_AFTER', certificate.notAfter?.toISOString());
}
