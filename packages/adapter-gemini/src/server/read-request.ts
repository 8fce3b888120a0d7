// Variables of a Gemini server that speaks SCGI → the facts of a request. Each server has its own set; whatever is needed
// to make sense of one names it.

import { isIP } from 'node:net';
import { RemoteProtocolError } from '@scgi/core';
import type { CgiEnv } from '@scgi/core';
import { encodePath, fromOctets } from '../percent.js';
import type { ClientCertificate } from '../request.js';
import { defaultPort, parseGeminiUrl } from '../url.js';
import type { GeminiUrl } from '../url.js';

/** Where the request is for, and how much of its path is the mount point. */
export interface Location {
  readonly url: GeminiUrl;
  /** Segments. */
  readonly depth: number;
}

/** @throws {RemoteProtocolError} ERR_SCGI_GEMINI_REQUEST for variables that make no URL */
export function readLocation(env: CgiEnv): Location {
  const { scriptName, pathInfo } = readPaths(env);
  const text = env['GEMINI_URL'];
  const url = parseGeminiUrl(
    text === undefined || text === '' ? buildUrl(env, scriptName + pathInfo) : fromOctets(text),
  );
  if ('fault' in url) throw new RemoteProtocolError('ERR_SCGI_GEMINI_REQUEST', { fault: url.fault });
  return { url, depth: mountDepth(url.segments, scriptName, pathInfo) };
}

/** Molly Brown has SCRIPT_PATH for SCRIPT_NAME: as it is configured, so it may end with the slash that PATH_INFO lacks. */
function readPaths(env: CgiEnv): { scriptName: string; pathInfo: string } {
  const script = fromOctets(env['SCRIPT_NAME'] ?? env['SCRIPT_PATH'] ?? '');
  const info = fromOctets(env['PATH_INFO'] ?? '');
  if (!script.endsWith('/')) return { scriptName: script, pathInfo: info };
  return { scriptName: script.slice(0, -1), pathInfo: info.startsWith('/') ? info : `/${info}` };
}

/** Molly Brown sends no GEMINI_URL. */
function buildUrl(env: CgiEnv, path: string): string {
  const host = fromOctets(env['SERVER_NAME'] ?? '');
  const port = env['SERVER_PORT'] ?? '';
  const query = fromOctets(env['QUERY_STRING'] ?? '');
  const authority = isIP(host) === 6 ? `[${host}]` : host;
  return `gemini://${authority}:${port === '' ? defaultPort : port}${encodePath(path)}${query === '' ? '' : `?${query}`}`;
}

/** How many segments of the path are the mount point. None where the two do not fit together. */
function mountDepth(segments: readonly string[], scriptName: string, pathInfo: string): number {
  for (let depth = segments.length; depth > 0; depth -= 1) {
    if (joinPath(segments.slice(depth)) !== pathInfo) continue;
    // Xitzin sends SCRIPT_NAME empty; what is left of the path is the mount point all the same.
    if (scriptName === '' || joinPath(segments.slice(0, depth)) === scriptName) return depth;
  }
  return 0;
}

function joinPath(segments: readonly string[]): string {
  return segments.length === 0 ? '' : `/${segments.join('/')}`;
}

/** The address of the client; others than Debian's Molly Brown write its port behind it. */
export function readPeer(env: CgiEnv): { remoteAddress: string | undefined; remotePort: number | undefined } {
  const value = env['REMOTE_ADDR'] ?? '';
  const bare = value.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return { remoteAddress: bare, remotePort: readPort(env['REMOTE_PORT']) };
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]+)$/.exec(value) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || isIP(address) === 0) return { remoteAddress: undefined, remotePort: undefined };
  return { remoteAddress: address, remotePort: readPort(port) };
}

function readPort(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined;
}

/** The certificate that the client showed to the Gemini server. */
export function readCertificate(env: CgiEnv): ClientCertificate | undefined {
  const hash = env['TLS_CLIENT_HASH'] ?? '';
  if (hash === '') return undefined;
  return {
    // Jetforce and gmid write the algorithm before it, and not all use the same case.
    fingerprint: hash
      .replace(/^SHA256:/i, '')
      .replaceAll(':', '')
      .toLowerCase(),
    commonName: readText(env['REMOTE_USER']) ?? readText(env['TLS_CLIENT_SUBJECT_CN']),
    issuerCommonName: readText(env['TLS_CLIENT_ISSUER_CN']),
    serialNumber: readText(env['TLS_CLIENT_SERIAL_NUMBER']),
    notBefore: readDate(env['TLS_CLIENT_NOT_BEFORE']),
    notAfter: readDate(env['TLS_CLIENT_NOT_AFTER']),
  };
}

function readText(octets: string | undefined): string | undefined {
  return octets === undefined || octets === '' ? undefined : fromOctets(octets);
}

function readDate(text: string | undefined): Date | undefined {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) ? undefined : date;
}
