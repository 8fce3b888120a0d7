// The options of clients and requests. Types only: their checks live with what uses them.

import type { BackendOptions, BackendTarget, SpoolOptions } from './exchange/index.js';
import type { ScgiBody } from './body/body-init.js';
import type { ScgiResponse } from './response.js';

/** What requests say about themselves, for a client the default of all its requests. */
export interface ScgiVariableOptions {
  /** SCRIPT_NAME: the mount point of the application, as in a URL; the path follows it. Default ''. */
  readonly scriptName?: string | undefined;
  /** SERVER_NAME. Default: the host of the Host field, else 'localhost'. */
  readonly serverName?: string | undefined;
  /** SERVER_PORT. Default 80, for https 443. */
  readonly serverPort?: number | undefined;
  /** 'https' sets HTTPS. Default 'http'. */
  readonly scheme?: 'http' | 'https' | undefined;
  /** REMOTE_ADDR. Default '127.0.0.1'. */
  readonly remoteAddress?: string | undefined;
  /** Variables to add or to put in the place of ours; undefined takes one away. latin1, without NUL, CR and LF. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Time limits and bounds that a single request may have of its own. */
export type ScgiCallOptions = Pick<
  BackendOptions,
  | 'connectTimeout'
  | 'firstByteTimeout'
  | 'idleTimeout'
  | 'totalTimeout'
  | 'maxHeadBytes'
  | 'maxLineBytes'
  | 'maxResponseSize'
  | 'retries'
  | 'retryDelay'
  | 'halfClose'
>;

/** What to do about an answer that is nothing but a Location with a path (RFC 3875 §6.2.2). */
export type LocalRedirectOption =
  | 'return'
  | 'follow'
  | ((location: string, response: ScgiResponse) => string | null | undefined | Promise<string | null | undefined>);

/** How to talk to a backend, and what its requests have in common. */
export interface ScgiClientOptions extends BackendOptions, SpoolOptions, ScgiVariableOptions {
  /**
   * 'return' hands it to the caller, 'follow' asks the same backend for that path with GET; a function gets the
   * location and returns the path to ask for, or null to hand the answer to the caller. Default 'return'.
   */
  readonly onLocalRedirect?: LocalRedirectOption | undefined;
  /** Local redirects in a row that are followed; null for no limit. Default 10. */
  readonly maxLocalRedirects?: number | null | undefined;
}

/** Names and values of fields. */
export type ScgiHeaders =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a query is made of. */
export type ScgiQuery =
  | string
  | URLSearchParams
  | Readonly<Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>>;

/** One request. */
export interface ScgiRequestOptions extends ScgiVariableOptions, ScgiCallOptions, SpoolOptions {
  /** REQUEST_METHOD. Default 'GET', with a body 'POST'. */
  readonly method?: string | undefined;
  /** As in a URL: begins with '/', and '%2F' is another character than '/'. A query may follow. Default '/'. */
  readonly path?: string | undefined;
  /** QUERY_STRING: encoded as it is, or parameters to encode. */
  readonly query?: ScgiQuery | undefined;
  /** HTTP_* and CONTENT_TYPE. */
  readonly headers?: ScgiHeaders | undefined;
  readonly body?: ScgiBody | null | undefined;
  /** Length of a body that is streamed: else it is kept until its length is known. */
  readonly contentLength?: number | undefined;
  /** Ends it at any stage, the reading of the body included. */
  readonly signal?: AbortSignal | undefined;
  /** As for the client. */
  readonly onLocalRedirect?: LocalRedirectOption | undefined;
  /** As for the client. */
  readonly maxLocalRedirects?: number | null | undefined;
  /** See `RawRequestOptions`. */
  readonly raw?: false | undefined;
}

/** A request whose answer is no CGI response. */
export interface RawRequestOptions extends Omit<ScgiRequestOptions, 'raw' | 'onLocalRedirect' | 'maxLocalRedirects'> {
  /** Give the bytes of the answer as they come. */
  readonly raw: true;
}

/** A request whose variables are complete, for gateways. */
export interface ScgiSendOptions {
  readonly method: string;
  /** Flat: name, value, name, value … without CONTENT_LENGTH and SCGI. */
  readonly variables: readonly string[];
  readonly body?: ScgiBody | null | undefined;
  /** Length of a body that is streamed: else it is kept until its length is known. */
  readonly bodyLength?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where to send a request. */
export type ScgiTarget = BackendTarget | readonly BackendTarget[];
