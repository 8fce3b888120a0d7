// One thing to listen on, checked: what the text and the object forms of a bind have in common.
// Opens nothing and looks nothing up. The text form is read in bind.ts.
import { isIP, Socket } from 'node:net';
import { LocalProtocolError } from '../protocol/errors.js';

export interface TcpTarget {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly backlog: number;
}

export interface UnixTarget {
  readonly kind: 'unix';
  /** As given: may be relative. */
  readonly path: string;
  readonly mode: number;
  readonly user: string | number | undefined;
  readonly group: string | number | undefined;
  readonly backlog: number;
}

/** A listening socket that this process inherited. */
export interface InheritedTarget {
  readonly kind: 'fd';
  readonly fd: number;
}

/** One thing to listen on. */
export type ListenTarget = TcpTarget | UnixTarget | InheritedTarget;

/** Nothing to listen on: one connection that is open already. */
export interface ConnectionTarget {
  readonly kind: 'connection';
  readonly socket: Socket;
}

const defaultBacklog = 511;
const defaultMode = 0o660;
const accepted =
  '4000, host:4000, [::1]:4000, unix:/path?mode=0660&user=app&group=www-data&backlog=511, fd:3, systemd, systemd:name';

export function tcpTarget(text: string, host: string, port: number, backlog: number | undefined): TcpTarget {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw refuse(text, 'the port is not a number from 0 to 65535');
  if (isIP(host) === 0 && !/^[A-Za-z0-9_.-]+$/.test(host)) throw refuse(text, 'the host is not a name or an address');
  return { kind: 'tcp', host, port, backlog: checkBacklog(text, backlog) };
}

interface UnixFacts {
  readonly path: string;
  readonly mode?: number | undefined;
  readonly user?: string | number | undefined;
  readonly group?: string | number | undefined;
  readonly backlog?: number | undefined;
}

export function unixTarget(text: string, { path, mode = defaultMode, user, group, backlog }: UnixFacts): UnixTarget {
  if (typeof path !== 'string' || path === '') throw refuse(text, 'the path is empty');
  // Linux' abstract sockets have no permissions: every local user could connect and forge REMOTE_USER.
  if (path.startsWith('@') || path.startsWith('\0')) {
    throw refuse(
      text,
      'an abstract socket has no permissions',
      'a path: unix:/run/app.sock, or unix:./@name for a file',
    );
  }
  if (path.includes('\0')) throw refuse(text, 'the path holds a NUL');
  if (path.endsWith('/')) throw refuse(text, 'the path names a folder', 'unix:/run/app/app.sock');
  // 660 without 0o is 0o1224: caught here, because permission bits end at 0o777.
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o777) throw refuse(text, 'mode is not from 0 to 0o777', '0o660');
  return { kind: 'unix', path, mode, user, group, backlog: checkBacklog(text, backlog) };
}

export function fdTarget(text: string, fd: number): InheritedTarget {
  if (!Number.isInteger(fd) || fd < 0 || fd > 0x7fff_ffff)
    throw refuse(text, 'the descriptor is not a number from 0 up');
  return { kind: 'fd', fd };
}

export function connectionTarget(socket: unknown): ConnectionTarget {
  if (!(socket instanceof Socket)) throw refuse('{ connection }', 'the connection is no net.Socket');
  return { kind: 'connection', socket };
}

function checkBacklog(text: string, backlog: number = defaultBacklog): number {
  if (!Number.isInteger(backlog) || backlog < 1 || backlog > 65_535)
    throw refuse(text, 'backlog is not from 1 to 65535');
  return backlog;
}

/** An ERR_SCGI_BIND that shows what is accepted: `remedy`, or all forms. */
export function refuse(bind: string, problem: string, remedy?: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_BIND', { bind, problem, accepted: remedy ?? accepted });
}
