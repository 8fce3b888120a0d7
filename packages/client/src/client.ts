// One SCGI service and what its requests have in common.

import { AbortError } from '@scgi/core/protocol';
import { Backend } from './exchange/index.js';
import type { ScgiClientOptions, ScgiRequestOptions, ScgiSendOptions, ScgiTarget } from './options.js';
import type { RawResponse, ScgiResponse } from './response.js';

/** Calls one SCGI service. */
export class ScgiClient {
  readonly backend: Backend;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for a target or an option that is impossible */
  constructor(target: ScgiTarget, options: ScgiClientOptions = {}) {
    this.backend = new Backend(target, options);
  }

  request(options: ScgiRequestOptions & { readonly raw: true }): Promise<RawResponse>;
  request(options?: ScgiRequestOptions): Promise<ScgiResponse>;
  request(_options: ScgiRequestOptions = {}): Promise<ScgiResponse> {
    return Promise.reject(new AbortError('ERR_SCGI_CLIENT_CLOSED'));
  }

  send(_request: ScgiSendOptions): Promise<ScgiResponse> {
    return Promise.reject(new AbortError('ERR_SCGI_CLIENT_CLOSED'));
  }

  close(): void {
    this.backend.close();
  }
}
