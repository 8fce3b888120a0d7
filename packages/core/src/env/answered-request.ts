// A request that is being answered, whatever class it is of: what the answers need of it that look at the front end.

import { type FrontEnd, plainFrontEnd } from './front-end-options.js';
import type { CgiEnv } from './variables.js';

/** A request and what the application has said of its response so far. */
export interface AnsweredRequest {
  readonly method: string;
  /** Undefined if it did not come over SCGI. */
  readonly env: CgiEnv | undefined;
  readonly frontEnd: FrontEnd;
  /** A field of the request, by its lower-case name. */
  requestField(name: string): string | undefined;
  /** A field that the response has already, by its lower-case name. */
  responseField(name: string): string | undefined;
}

/** The head of a response, as it is to be made of the one that the application has begun. */
export interface AnswerHead {
  readonly status: number;
  /** By name, in the place of what the response has of these names. */
  readonly fields: Readonly<Record<string, string>>;
  /** Lower-case names of the fields that the response must not have. */
  readonly dropped: readonly string[];
}

/** These describe a body that will not be. */
export const bodyFields: readonly string[] = [
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'transfer-encoding',
];
export const validatorFields: readonly string[] = ['etag', 'last-modified'];

/** Node's `IncomingMessage`, as far as it matters here; `scgi` is there if it came over SCGI. */
export interface AnsweredMessage {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly scgi?: { readonly env: CgiEnv; readonly frontEnd: FrontEnd } | undefined;
}

/** A response, as far as it matters here: Node's, or what a framework has in its place. */
export interface AnsweringResponse {
  getHeader(name: string): number | string | readonly string[] | undefined;
}

/** The request that a message of Node's is, and the response that answers it. */
export function messageAnswered(message: AnsweredMessage, response: AnsweringResponse): AnsweredRequest {
  return {
    method: message.method ?? 'GET',
    get env() {
      return message.scgi?.env;
    },
    frontEnd: message.scgi?.frontEnd ?? plainFrontEnd,
    requestField: (name) => toText(message.headers[name]),
    responseField: (name) => toText(response.getHeader(name)),
  };
}

function toText(value: number | string | readonly string[] | undefined): string | undefined {
  return value === undefined ? undefined : typeof value === 'object' ? value.join(', ') : String(value);
}
