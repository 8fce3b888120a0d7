// What a user may write to say where to listen, and what it means: text or object → a checked ListenTarget.
// Also the order of places to look at when nothing was said: systemd, SCGI_BIND, 127.0.0.1:4000.
// Opens nothing and looks nothing up: see listen.ts.
import { isIPv6, type Socket } from 'node:net';
import { LocalProtocolError } from '../protocol/errors.js';
import { connectionTarget, fdTarget, refuse, tcpTarget, unixTarget } from './listen-target.js';
import type { ConnectionTarget, InheritedTarget, ListenTarget, TcpTarget, UnixTarget } from './listen-target.js';
import { takeSystemdSockets, type SystemdSocket } from './systemd.js';

/**
 * Where to listen.
 *
 * | form | meaning |
 * |---|---|
 * | `4000`, `'4000'` | TCP port on 127.0.0.1; 0 lets the system choose |
 * | `'host:4000'`, `'[::1]:4000'` | TCP; `?backlog=` may follow |
 * | `'unix:/run/app.sock?mode=0660&user=app&group=www-data&backlog=511'` | Unix socket; no percent-decoding, so a path with `?` needs the object form |
 * | `'fd:3'`, `{ fd: 3 }` | a listening socket inherited from the parent process |
 * | `'systemd'`, `'systemd:name'` | all sockets of the systemd unit, or those with this FileDescriptorName= |
 * | `{ connection: socket }` | nothing: serves one connection that is open already, such as inetd's |
 */
export type BindSpec =
  | string
  | number
  | { readonly fd: number }
  | { readonly connection: Socket }
  | {
      /** Default 127.0.0.1. IPv6 without brackets. */
      readonly host?: string;
      readonly port: number;
      /** Connections the kernel queues before we accept them. Default 511, the same as Node's. */
      readonly backlog?: number;
    }
  | {
      readonly path: string;
      /** Permission bits. Default 0o660: owner and group, e.g. the web server's. */
      readonly mode?: number;
      /** Owner of the socket file, by name or number. Default: the user of this process. */
      readonly user?: string | number;
      /** Group of the socket file, by name or number. Default: the group of this process. */
      readonly group?: string | number;
      /** Connections the kernel queues before we accept them. Default 511, the same as Node's. */
      readonly backlog?: number;
    };

/** Sockets still to be taken from systemd: `resolveTargets` replaces it by InheritedTargets. */
export interface SystemdSelector {
  readonly kind: 'systemd';
  /** Only the sockets with this name; undefined: all. */
  readonly name: string | undefined;
}

/** What a server gets its connections from. */
export type ServeTarget = ListenTarget | ConnectionTarget;

const loopback = '127.0.0.1';
const defaultPort = 4000;

/**
 * Reads one bind form.
 * @throws LocalProtocolError ERR_SCGI_BIND: not understood, or ambiguous; the message shows what is accepted.
 */
export function parseBind(spec: BindSpec): ServeTarget | SystemdSelector {
  if (typeof spec === 'string') return parseText(spec);
  if (typeof spec === 'number') return tcpTarget(String(spec), loopback, spec, undefined);
  return parseObject(spec);
}

/**
 * All targets of a server, at least one. With `bind` undefined: the sockets that systemd passed to this process, else
 * the comma separated list in SCGI_BIND, else 127.0.0.1:4000. Removes systemd's variables from `environment` if it
 * uses them.
 * @throws LocalProtocolError ERR_SCGI_BIND
 */
export function resolveTargets(
  bind: BindSpec | readonly BindSpec[] | undefined,
  environment: NodeJS.ProcessEnv,
  pid: number,
): ServeTarget[] {
  if (bind !== undefined) {
    const specs = isList(bind) ? bind : [bind];
    if (specs.length === 0) throw refuse('[]', 'the list is empty');
    return takeSelected(specs.map(parseBind), environment, pid);
  }
  const sockets = takeSystemdSockets(environment, pid);
  if (sockets !== undefined) return sockets.map(inheritedTarget);
  const fromEnvironment = environment['SCGI_BIND']?.trim() ?? '';
  if (fromEnvironment === '') return [tcpTarget('', loopback, defaultPort, undefined)];
  const parsed = fromEnvironment.split(',').map((text) => parseText(text.trim()));
  return takeSelected(parsed, environment, pid);
}

function isList(bind: BindSpec | readonly BindSpec[]): bind is readonly BindSpec[] {
  return Array.isArray(bind);
}

function takeSelected(
  parsed: readonly (ServeTarget | SystemdSelector)[],
  environment: NodeJS.ProcessEnv,
  pid: number,
): ServeTarget[] {
  // Taken once for all selectors: taking removes the variables.
  const wanted = parsed.some((target) => target.kind === 'systemd');
  const sockets = wanted ? takeSystemdSockets(environment, pid) : undefined;
  return parsed.flatMap((target) => (target.kind === 'systemd' ? select(sockets, target) : [target]));
}

function select(sockets: readonly SystemdSocket[] | undefined, { name }: SystemdSelector): ListenTarget[] {
  const bind = name === undefined ? 'systemd' : `systemd:${name}`;
  if (sockets === undefined) {
    throw new LocalProtocolError('ERR_SCGI_BIND', {
      bind,
      problem: 'systemd passed no socket to this process, or they are taken already',
      remedy:
        'start the unit through its .socket unit; ExecStart= must run node itself (not npm or a shell), since LISTEN_PID names one process',
    });
  }
  const matching = name === undefined ? sockets : sockets.filter((socket) => socket.name === name);
  if (matching.length === 0) {
    throw new LocalProtocolError('ERR_SCGI_BIND', {
      bind,
      problem: `systemd passed only ${sockets.map((socket) => socket.name).join(', ')}`,
      remedy: `set FileDescriptorName=${name} in the .socket unit`,
    });
  }
  return matching.map(inheritedTarget);
}

function inheritedTarget({ fd }: SystemdSocket): InheritedTarget {
  return { kind: 'fd', fd };
}

function parseText(text: string): ListenTarget | SystemdSelector {
  if (text.startsWith('unix:')) return parseUnix(text);
  if (text.startsWith('fd:')) return fdTarget(text, wholeNumber(text.slice(3)));
  if (text === 'systemd') return { kind: 'systemd', name: undefined };
  if (text.startsWith('systemd:')) {
    if (text === 'systemd:') throw refuse(text, 'the name after systemd: is empty');
    return { kind: 'systemd', name: text.slice(8) };
  }
  if (text.startsWith('/') || text.startsWith('./')) throw refuse(text, 'a path needs unix: before it', `unix:${text}`);
  return parseTcp(text);
}

function parseTcp(text: string): TcpTarget {
  if (text.includes('://')) throw refuse(text, 'a bind is not a URL', 'host:4000');
  const [address, options] = splitOptions(text, ['backlog']);
  const backlog = options.get('backlog');
  const [host, port] = splitHostPort(text, address);
  return tcpTarget(text, host, wholeNumber(port), backlog === undefined ? undefined : wholeNumber(backlog));
}

function splitHostPort(text: string, address: string): [host: string, port: string] {
  const colon = address.lastIndexOf(':');
  if (colon === -1) return [loopback, address];
  const host = address.slice(0, colon);
  const port = address.slice(colon + 1);
  if (host === '' || host === '*') {
    // Others read this as "every interface": too much to open on a guess.
    throw refuse(text, 'the host is missing', `${loopback}:${port}, or 0.0.0.0:${port} for every interface`);
  }
  if (host.startsWith('[') && host.endsWith(']') && isIPv6(host.slice(1, -1))) return [host.slice(1, -1), port];
  // ":::4000" may be port 4000 on "::" or the address "::4000" without a port.
  if (host.includes(':')) throw refuse(text, 'an IPv6 address needs brackets', '[::1]:4000');
  return [host, port];
}

function parseUnix(text: string): UnixTarget {
  const [path, options] = splitOptions(text.slice(5), ['mode', 'user', 'group', 'backlog']);
  if (path.startsWith('//')) throw refuse(text, 'not a URL: write the path right after unix:', 'unix:/run/app.sock');
  const mode = options.get('mode');
  if (mode !== undefined && !/^[0-7]{3,4}$/.test(mode)) throw refuse(text, 'mode is not octal', 'mode=0660');
  const backlog = options.get('backlog');
  return unixTarget(text, {
    path,
    mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
    user: nameOrNumber(options.get('user')),
    group: nameOrNumber(options.get('group')),
    backlog: backlog === undefined ? undefined : wholeNumber(backlog),
  });
}

function splitOptions(text: string, known: readonly string[]): [address: string, options: Map<string, string>] {
  const mark = text.indexOf('?');
  const options = new Map<string, string>();
  if (mark === -1) return [text, options];
  for (const option of text.slice(mark + 1).split('&')) {
    const equals = option.indexOf('=');
    const key = equals === -1 ? option : option.slice(0, equals);
    if (!known.includes(key)) throw refuse(text, `unknown option ${key}`, known.join(', '));
    if (options.has(key)) throw refuse(text, `${key} is given twice`);
    if (equals === -1 || equals === option.length - 1) throw refuse(text, `${key} has no value`);
    options.set(key, option.slice(equals + 1));
  }
  return [text.slice(0, mark), options];
}

function parseObject(spec: Exclude<BindSpec, string | number>): ServeTarget {
  // First: a socket makes no text.
  if (typeof spec === 'object' && spec !== null && 'connection' in spec) return connectionTarget(spec.connection);
  // Only JavaScript callers get past the types; the text form has checks of the same kind.
  const text = typeof spec === 'object' ? JSON.stringify(spec) : String(spec);
  if (typeof spec !== 'object' || spec === null) throw refuse(text, 'neither text, number nor object');
  if ('fd' in spec) {
    refuseUnknownKeys(text, spec, ['fd']);
    return fdTarget(text, spec.fd);
  }
  if ('path' in spec) {
    refuseUnknownKeys(text, spec, ['path', 'mode', 'user', 'group', 'backlog']);
    return unixTarget(text, spec);
  }
  refuseUnknownKeys(text, spec, ['host', 'port', 'backlog']);
  return tcpTarget(text, spec.host ?? loopback, spec.port, spec.backlog);
}

function refuseUnknownKeys(text: string, spec: object, known: readonly string[]): void {
  for (const key of Object.keys(spec)) {
    if (!known.includes(key)) throw refuse(text, `unknown key ${key}`, known.join(', '));
  }
}

/** Digits only, as the whole text; NaN otherwise: '+5', '0x10', '1e3' and '04' are not ports. */
function wholeNumber(text: string): number {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : Number.NaN;
}

function nameOrNumber(text: string | undefined): string | number | undefined {
  if (text === undefined) return undefined;
  const number = wholeNumber(text);
  return Number.isNaN(number) ? text : number;
}
