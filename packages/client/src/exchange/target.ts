// What a user may write to say where an SCGI backend listens, and what it means for a socket.
// Reads text only: connects nowhere and looks nothing up.

import { isIPv6 } from 'node:net';
import { LocalProtocolError } from '@scgi/core/protocol';

/**
 * Where an SCGI server listens: a port on 127.0.0.1, 'host:port', '[::1]:port' or 'unix:/path/of/socket'; or the same
 * by its parts.
 */
export type BackendTarget = string | number | TcpTarget | UnixTarget;

/** A TCP address by its parts. An IPv6 address has no brackets here. */
export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/** The path of a Unix socket. */
export interface UnixTarget {
  readonly socketPath: string;
}

/** A checked target. */
export interface BackendAddress {
  /** As it is written in logs: '127.0.0.1:4000', 'unix:/run/app.sock'. */
  readonly text: string;
  readonly connect: { readonly host: string; readonly port: number } | { readonly path: string };
}

const loopback = '127.0.0.1';
const accepted = '4000, host:4000, [::1]:4000, unix:/run/app.sock';
const acceptedParts = '{ host, port } or { socketPath }';

/**
 * Reads one target.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION: not understood, or ambiguous; the message shows what is accepted
 */
export function parseTarget(target: BackendTarget): BackendAddress {
  if (typeof target === 'object' && target !== null) return parseParts(target);
  const text = String(target);
  if (text.startsWith('unix:')) return parseUnix(text);
  if (text.startsWith('/') || text.startsWith('./')) throw refuse(text, 'a path needs unix: before it', `unix:${text}`);
  if (text.includes('://')) throw refuse(text, 'a target is not a URL', 'host:4000');
  const colon = text.lastIndexOf(':');
  const host = colon === -1 ? loopback : readHost(text, text.slice(0, colon));
  const port = readPort(text, text.slice(colon + 1));
  return { text: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, connect: { host, port } };
}

/**
 * Reads one target or several, for `balance`.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION as `parseTarget`, and for none at all
 */
export function parseTargets(targets: BackendTarget | readonly BackendTarget[]): readonly BackendAddress[] {
  const list = isList(targets) ? targets : [targets];
  if (list.length === 0) throw refuse('[]', 'a backend needs at least one address');
  return list.map(parseTarget);
}

function isList(targets: BackendTarget | readonly BackendTarget[]): targets is readonly BackendTarget[] {
  return Array.isArray(targets);
}

/** What is given may come from a program without types, or from a configuration file. */
function parseParts(target: Partial<TcpTarget & UnixTarget>): BackendAddress {
  const { host, port, socketPath } = target;
  const text = JSON.stringify(target);
  if (socketPath !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw refuse(text, 'both host and port and a socketPath: give one of them', acceptedParts);
    }
    return parseUnix(`unix:${socketPath}`);
  }
  if (host === undefined && port === undefined)
    throw refuse(text, 'neither host and port nor a socketPath', acceptedParts);
  if (host === undefined || port === undefined) throw refuse(text, 'host and port go together', acceptedParts);
  return parseTarget(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}

function parseUnix(text: string): BackendAddress {
  const path = text.slice('unix:'.length);
  if (path === '' || path.includes('\0')) throw refuse(text, 'the path is empty or holds a NUL');
  if (path.startsWith('//')) throw refuse(text, 'not a URL: write the path right after unix:', 'unix:/run/app.sock');
  return { text, connect: { path } };
}

function readHost(text: string, host: string): string {
  if (host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1))) return host.slice(1, -1);
  if (host.includes(':')) throw refuse(text, 'an IPv6 address needs brackets', '[::1]:4000');
  if (!/^[A-Za-z0-9_.-]+$/.test(host)) throw refuse(text, 'the host is not a name or an address');
  return host;
}

function readPort(text: string, digits: string): number {
  const port = /^[1-9][0-9]{0,4}$/.test(digits) ? Number(digits) : Number.NaN;
  if (!(port <= 65_535)) throw refuse(text, 'the port is not a number from 1 to 65535');
  return port;
}

function refuse(target: string, problem: string, remedy: string = accepted): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { target, problem, accepted: remedy });
}
