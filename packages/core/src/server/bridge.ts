// What makes handlers for requests: the seam at which something else than Node's request and response objects can be
// put behind a server.

import type { FrontEnd, ScgiRequest } from '../env/index.js';
import type { RequestHead, ScgiError } from '../protocol/index.js';
import type { ScgiConnection } from './connection.js';
import type { RequestHandler } from './handler.js';

/** A request as a bridge gets it. */
export interface BridgedRequest {
  readonly connection: ScgiConnection;
  /** The undecoded variables. */
  readonly head: RequestHead;
  readonly facts: ScgiRequest;
  /** The request target without `basePath`: what the application sees. */
  readonly url: string;
  /** The part of the path that was cut off; empty if none was. */
  readonly basePath: string;
  /** The server's option of this name: see `ResponseWriter`. */
  readonly unbufferedEvents: boolean;
  /** The server's option of this name, checked. */
  readonly frontEnd: FrontEnd;
}

/** Serves requests in place of a listener. */
export interface ScgiBridge {
  /**
   * Called once for each request, when its head is complete.
   * @throws {ScgiError} to refuse it; it is answered with the error's status hint
   */
  createHandler(request: BridgedRequest): RequestHandler;
  /**
   * Reads the request out of its variables, where they describe no HTTP request. Default: `readRequest` of env/.
   * @throws {ScgiError} to refuse it
   */
  readRequest?(head: RequestHead): ScgiRequest;
  /** The answer to a request that was refused, or never came whole. Default: the CGI response of `formatErrorResponse`. */
  formatError?(error: ScgiError): string;
}
