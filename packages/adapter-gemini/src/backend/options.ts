// The options of an SCGI backend, their defaults and their check.

import type { BackendOptions, BackendSettings } from '@scgi/client/exchange';
import { resolveTime } from '@scgi/client/exchange';
import { LocalProtocolError } from '@scgi/core';
import type { ScgiError } from '@scgi/core';
import type { GeminiRequest, GeminiState } from '../request.js';

/** Variables of your own: a record, or one for each request. */
export type ExtraVariables =
  | Readonly<Record<string, string>>
  | ((request: GeminiRequest) => Readonly<Record<string, string>>);

/** Options of `scgiBackend`, and those of `Backend` of @scgi/client. Times in milliseconds, 0 for none; limits null for none. */
export interface ScgiBackendOptions extends BackendOptions {
  /** Default of `firstByteTimeout` and `idleTimeout`, and the most that `connectTimeout`, 5,000, is. Default 30,000. */
  readonly timeout?: number | undefined;
  /** Pass on this process's environment: all of it, or these names. Default false: it may hold secrets. */
  readonly inheritEnvironment?: boolean | readonly string[] | undefined;
  /** Where `appStateKeys` are looked up, at each request. Default: the state of the application that handles the request. */
  readonly appState?: GeminiState | undefined;
  /** What to pass on of it. Default: nothing. */
  readonly appStateKeys?: readonly string[] | undefined;
  /** Before the names of these variables. Default 'APP_'. */
  readonly appStatePrefix?: string | undefined;
  /** Further variables; they override all others but SCGI and CONTENT_LENGTH. Default none. */
  readonly env?: ExtraVariables | undefined;
  /** Hears why a request failed; the client hears 43. Default: console.error. */
  readonly onError?: ((error: ScgiError, request: GeminiRequest) => void) | undefined;
}

/** What variables are made of, beside the request. */
export interface VariableSettings {
  readonly inheritEnvironment: boolean | readonly string[];
  readonly appState: GeminiState | undefined;
  readonly appStateKeys: readonly string[];
  readonly appStatePrefix: string;
  readonly env: ExtraVariables;
}

/** @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function resolveVariableSettings(options: ScgiBackendOptions): VariableSettings {
  const { appStatePrefix = 'APP_' } = options;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(appStatePrefix)) {
    throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'appStatePrefix', value: appStatePrefix });
  }
  return {
    inheritEnvironment: options.inheritEnvironment ?? false,
    appState: options.appState,
    appStateKeys: options.appStateKeys ?? [],
    appStatePrefix,
    env: options.env ?? {},
  };
}

/** The times of a backend by way of `timeout`. @throws {LocalProtocolError} ERR_SCGI_OPTION */
export function backendOptions(options: ScgiBackendOptions): BackendOptions {
  const timeout = resolveTime('timeout', options.timeout, 30_000);
  const connectTimeout: BackendSettings['connectTimeout'] = timeout === 0 ? 5000 : Math.min(5000, timeout);
  return {
    ...options,
    connectTimeout: options.connectTimeout ?? connectTimeout,
    firstByteTimeout: options.firstByteTimeout ?? timeout,
    idleTimeout: options.idleTimeout ?? timeout,
  };
}
