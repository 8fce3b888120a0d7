// `req.scgi`: the SCGI side of a request, for applications. What the front end vouches for is here and nowhere else;
// what the client sent is in `req.headers`.

import type { CgiEnv, FrontEnd } from '../env/index.js';
import { createEnv, findWrapped } from '../env/index.js';
import type { RequestHead } from '../protocol/index.js';

/** The SCGI side of a request. */
export class ScgiInfo {
  /** The part of the path that was cut off `req.url` by the option `basePath`; empty if none was. */
  readonly basePath: string;
  /** What the option of this name says that the front end does. */
  readonly frontEnd: FrontEnd;
  readonly #head: RequestHead;
  #env: CgiEnv | undefined;

  constructor(head: RequestHead, basePath: string, frontEnd: FrontEnd) {
    this.basePath = basePath;
    this.frontEnd = frontEnd;
    this.#head = head;
    this.#env = undefined;
  }

  /** All variables of the request (RFC 3875 §4.1): null prototype, upper-case names, latin1 values. Built on first use. */
  get env(): CgiEnv {
    return (this.#env ??= createEnv(this.#head.variables));
  }
}

// Not 'node:http', which only re-exports it: with some third-party types in a program that augmentation is lost.
declare module 'http' {
  interface IncomingMessage {
    /** The SCGI side of the request. Set on every request of an SCGI server; use `getScgiEnv` where others may come in. */
    scgi: ScgiInfo;
  }
}

/**
 * The SCGI variables of a request, whatever wraps it (Koa's `ctx`, Fastify's `request`, a plain `req`).
 * Returns undefined for a request that did not come over SCGI.
 */
export function getScgiEnv(message: object): CgiEnv | undefined {
  return findWrapped(message, envOf);
}

function envOf(message: object): CgiEnv | undefined {
  return 'scgi' in message && message.scgi instanceof ScgiInfo ? message.scgi.env : undefined;
}
