// `res.extensions`: what SCGI says beyond SSGI. Made when it is asked for.

import { createEnv } from '@scgi/core';
import type { CgiEnv } from '@scgi/core';
import type { BridgedRequest } from '@scgi/core/server';
import type { SsgiExtensions, SsgiScgiInfo } from './types.js';

export class RequestExtensions implements SsgiExtensions {
  readonly scgi: SsgiScgiInfo;
  readonly #request: BridgedRequest;
  #env: CgiEnv | undefined;

  constructor(request: BridgedRequest) {
    const { target, encrypted, serverName } = request.facts;
    this.scgi = { basePath: request.basePath, target, encrypted, serverName };
    this.#request = request;
    this.#env = undefined;
  }

  get env(): CgiEnv {
    return (this.#env ??= createEnv(this.#request.head.variables));
  }
}
