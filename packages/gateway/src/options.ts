// The options that every way into the gateway shares (middleware, Koa, Fetch, front), their defaults and their check.
// Times: milliseconds, 0 for none. Limits: null for none, and 0 means zero. Knows no request.

import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { ScgiClient } from '@scgi/client';
import type { Backend, BackendOptions, BackendTarget } from '@scgi/client/exchange';
import { resolveBound, resolveNumber, resolveTime } from '@scgi/client/exchange';
import { LocalProtocolError, type ScgiError } from '@scgi/core/protocol';
import { ExtraVariables, type VariableRecord } from '@scgi/core/relay';
import { type FileFinder, resolveAccelRedirect, resolveSendfile } from './file-finder.js';

/** A function of the user; one that takes a framework's own kind of request fits as well. */
export type UserFunction<Arguments extends unknown[], Result> = { bivariant(...args: Arguments): Result }['bivariant'];

/** Turns what a backend has written into the path of a file, or into null for none: 404. */
export type FileLookup<Incoming> = UserFunction<
  [name: string, request: Incoming],
  string | null | undefined | Promise<string | null | undefined>
>;

/** Says which path of the backend answers in the place of a local redirect; null hands the redirect on as a 302. */
export type RedirectLookup<Incoming> = UserFunction<
  [location: string, request: Incoming],
  string | null | undefined | Promise<string | null | undefined>
>;

/** How to pass requests on to a backend. `Incoming` is Node's request, or a Fetch one in a Fetch handler. */
export interface GatewayOptions<Incoming = IncomingMessage> extends BackendOptions {
  /** How long the backend may be silent: the default of `firstByteTimeout` and `idleTimeout`, and the most for that of `connectTimeout`. Default 30,000. */
  readonly timeout?: number | undefined;
  /** Until the backend has accepted the connection. Default 5,000, or `timeout` if that is less. */
  readonly connectTimeout?: number | undefined;
  /** From the last byte of the request to the first one of the answer. Default `timeout`. */
  readonly firstByteTimeout?: number | undefined;
  /** Without a byte moving inside a body, on either side. Default `timeout`. */
  readonly idleTimeout?: number | undefined;
  /** Without a byte moving, either way, after an upgrade. Default 3,600,000: one hour. */
  readonly tunnelTimeout?: number | undefined;
  /** How long to read on when the answer is sent and the client still uploads. Default 30,000, as nginx. */
  readonly lingerTimeout?: number | undefined;
  /** Bytes of a body without Content-Length to hold in memory; the rest waits in a file. Default 1,048,576. */
  readonly maxHeldBody?: number | undefined;
  /** Bytes of such a body in memory and file together; 411 beyond. Default 1,073,741,824; null for no limit. */
  readonly maxSpooledBody?: number | null | undefined;
  /** Where that file is made. Default `os.tmpdir()`. */
  readonly spoolFolder?: string | undefined;
  /** Which variables of this process the backend gets: none, all, or those of these names. Default false. */
  readonly inheritEnvironment?: boolean | readonly string[] | undefined;
  /** State of the application, read at each request. Nothing of it is passed without `appStateKeys`. */
  readonly appState?: object | undefined;
  /** Keys of `appState` that the backend gets, upper-cased behind `appStatePrefix`. Default none. */
  readonly appStateKeys?: readonly string[] | undefined;
  /** Default 'APP_'. */
  readonly appStatePrefix?: string | undefined;
  /** Variables that the gateway vouches for, such as REMOTE_USER; they win over all others. Default none. */
  readonly env?: VariableRecord | UserFunction<[request: Incoming], VariableRecord> | undefined;
  /** SERVER_NAME. Default: the host the client asks for. */
  readonly serverName?: string | undefined;
  /** Pass fields on that have `_` in their name: to a backend `X_Y` is the same as `X-Y`. Default false. */
  readonly underscoreFields?: boolean | undefined;
  /** Answers with X-Sendfile: off, from below a folder, or from where the function says. Default off. */
  readonly sendfile?: false | { readonly root: string } | FileLookup<Incoming> | undefined;
  /** Answers with X-Accel-Redirect: off, folders by their place in the URI space, or from where the function says. Default off. */
  readonly accelRedirect?: false | Readonly<Record<string, string>> | FileLookup<Incoming> | undefined;
  /** A Location that is a path, and nothing else: false hands it on as a 302, as nginx; 'follow' asks the backend again. Default false. */
  readonly localRedirect?: false | 'follow' | RedirectLookup<Incoming> | undefined;
  /** How many of them in a row to follow; 502 beyond. Default 10. */
  readonly maxLocalRedirects?: number | undefined;
  /** Hears of every failed request; the client hears only the status. Default: console.error for 5xx. */
  readonly onError?: UserFunction<[error: ScgiError, request: Incoming], void> | undefined;
}

/** `GatewayOptions`, checked and complete, with the backend they are for. */
export interface GatewaySettings<Incoming = IncomingMessage> {
  /** What Koa and Fetch go through; its backend is `backend`. */
  readonly client: ScgiClient;
  readonly backend: Backend;
  readonly tunnelTimeout: number;
  readonly lingerTimeout: number;
  /** `Infinity` for no limit. */
  readonly maxHeldBody: number;
  readonly maxSpooledBody: number;
  readonly spoolFolder: string;
  readonly extraVariables: ExtraVariables<Incoming>;
  readonly serverName: string | undefined;
  readonly underscoreFields: boolean;
  /** Undefined: off. */
  readonly sendfile: FileFinder<Incoming> | undefined;
  readonly accelRedirect: FileFinder<Incoming> | undefined;
  readonly localRedirect: RedirectLookup<Incoming> | undefined;
  readonly maxLocalRedirects: number;
  readonly onError: UserFunction<[error: ScgiError, request: Incoming], void>;
}

/**
 * Checks the options and makes the backend.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for a target or an option that is impossible
 */
export function resolveGatewaySettings<Incoming = IncomingMessage>(
  target: BackendTarget | readonly BackendTarget[],
  options: GatewayOptions<Incoming> = {},
): GatewaySettings<Incoming> {
  const { maxHeldBody, maxSpooledBody, spoolFolder } = options;
  const client = new ScgiClient(target, {
    ...withTimeouts(options),
    env: undefined,
    maxHeldBody,
    maxSpooledBody,
    spoolFolder,
  });
  return {
    client,
    backend: client.backend,
    tunnelTimeout: resolveTime('tunnelTimeout', options.tunnelTimeout, 3_600_000),
    lingerTimeout: resolveTime('lingerTimeout', options.lingerTimeout, 30_000),
    maxHeldBody: resolveNumber('maxHeldBody', options.maxHeldBody, 1_048_576, 0, Number.MAX_SAFE_INTEGER),
    maxSpooledBody: resolveBound('maxSpooledBody', options.maxSpooledBody, 1_073_741_824),
    spoolFolder: options.spoolFolder ?? tmpdir(),
    extraVariables: new ExtraVariables(options),
    serverName: options.serverName,
    underscoreFields: options.underscoreFields ?? false,
    sendfile: resolveSendfile(options.sendfile),
    accelRedirect: resolveAccelRedirect(options.accelRedirect),
    localRedirect: resolveLocalRedirect(options.localRedirect),
    maxLocalRedirects: resolveNumber('maxLocalRedirects', options.maxLocalRedirects, 10, 0, 1000),
    onError: guard(options.onError ?? logError),
  };
}

/** The one `timeout` behind the three of the backend. */
function withTimeouts<Incoming>(options: GatewayOptions<Incoming>): BackendOptions {
  const timeout = resolveTime('timeout', options.timeout, 30_000);
  const { connectTimeout, firstByteTimeout = timeout, idleTimeout = timeout } = options;
  const connectDefault = timeout === 0 ? 5000 : Math.min(5000, timeout);
  return { ...options, connectTimeout: connectTimeout ?? connectDefault, firstByteTimeout, idleTimeout };
}

function resolveLocalRedirect<Incoming>(
  option: GatewayOptions<Incoming>['localRedirect'],
): RedirectLookup<Incoming> | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === 'follow') return (location) => location;
  if (typeof option === 'function') return option;
  throw new LocalProtocolError('ERR_SCGI_OPTION', {
    option: 'localRedirect',
    value: String(option),
    accepted: "false, 'follow', a function",
  });
}

/** One failed request must not become the failure of all: what `onError` itself throws is a warning. */
function guard<Incoming>(
  onError: UserFunction<[error: ScgiError, request: Incoming], unknown>,
): UserFunction<[error: ScgiError, request: Incoming], void> {
  return (error, request) => {
    try {
      const result = onError(error, request);
      if (result instanceof Promise) result.catch(warn);
    } catch (fault) {
      warn(fault);
    }
  };
}

function warn(fault: unknown): void {
  process.emitWarning(fault instanceof Error ? fault : new Error('onError failed', { cause: fault }));
}

function logError(error: ScgiError, request: unknown): void {
  if (error.statusHint < 500) return;
  const { method = '', url = '' }: { method?: unknown; url?: unknown } = Object(request);
  console.error(`${String(method)} ${String(url)} failed:`, error);
}
