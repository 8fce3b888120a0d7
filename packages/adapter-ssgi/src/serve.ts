// serveScgi(): an SSGI application, or a framework that picks its interfaces, as a running server.

import { serveScgi as serveBridge } from '@scgi/core';
import type { RunningServer } from '@scgi/core';
import { SsgiBridge } from './bridge.js';
import { SsgiHost } from './host.js';
import type { SsgiApp, SsgiServeOptions } from './types.js';

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;

/**
 * Serves an SSGI application over SCGI; resolves when it listens. `close()` also waits for what `runAsync` has begun, and
 * closes WebSockets with 1001.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core
 */
export async function serveScgi(app: SsgiApp, options: SsgiServeOptions = {}): Promise<RunningServer> {
  const { onError: _onError, maxDataBytes: _maxDataBytes, maxPayload: _maxPayload, ...serverOptions } = options;
  const host = new SsgiHost(app, app, options);
  return withWork(await serveBridge(new SsgiBridge(host), serverOptions), host);
}

function withWork({ server, endpoints, close: closeServer }: RunningServer, host: SsgiHost): RunningServer {
  const close: RunningServer['close'] = async (options = {}) => {
    const timeoutMs = options.timeout ?? DEFAULT_CLOSE_TIMEOUT_MS;
    const deadline = performance.now() + timeoutMs;
    const closed = closeServer({ timeout: timeoutMs });
    host.framing.closeAll();
    await closed;
    await host.work.idle(deadline - performance.now());
  };
  return { server, endpoints, close, [Symbol.asyncDispose]: close };
}
