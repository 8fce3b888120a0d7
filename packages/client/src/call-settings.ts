// The time limits and bounds of one request: the client's, unless the request has its own.

import { type BackendOptions, type BackendSettings, resolveBackendSettings } from './exchange/index.js';
import type { ScgiCallOptions } from './options.js';

/**
 * @param options what the client was made with
 * @param settings what came of that, which is what most requests go by
 * @throws {LocalProtocolError} ERR_SCGI_OPTION
 */
export function callSettings(
  given: ScgiCallOptions,
  options: BackendOptions,
  settings: BackendSettings,
): BackendSettings {
  if (!hasOwnSettings(given)) return settings;
  // Undefined stands for the client's, null for none.
  return resolveBackendSettings({
    ...options,
    connectTimeout: given.connectTimeout ?? options.connectTimeout,
    firstByteTimeout: given.firstByteTimeout ?? options.firstByteTimeout,
    idleTimeout: given.idleTimeout ?? options.idleTimeout,
    totalTimeout: given.totalTimeout ?? options.totalTimeout,
    maxHeadBytes: given.maxHeadBytes === undefined ? options.maxHeadBytes : given.maxHeadBytes,
    maxLineBytes: given.maxLineBytes === undefined ? options.maxLineBytes : given.maxLineBytes,
    maxResponseSize: given.maxResponseSize === undefined ? options.maxResponseSize : given.maxResponseSize,
    retries: given.retries ?? options.retries,
    retryDelay: given.retryDelay ?? options.retryDelay,
    halfClose: given.halfClose ?? options.halfClose,
  });
}

function hasOwnSettings(given: ScgiCallOptions): boolean {
  return (
    given.connectTimeout !== undefined ||
    given.firstByteTimeout !== undefined ||
    given.idleTimeout !== undefined ||
    given.totalTimeout !== undefined ||
    given.maxHeadBytes !== undefined ||
    given.maxLineBytes !== undefined ||
    given.maxResponseSize !== undefined ||
    given.retries !== undefined ||
    given.retryDelay !== undefined ||
    given.halfClose !== undefined
  );
}
