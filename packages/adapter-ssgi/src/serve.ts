// serveScgi(): an SSGI application, or a framework that picks its interfaces, as a running server.

import { cgiVariant, LocalProtocolError, serveScgi as serveBridge } from '@scgi/core';
import type { RunningServer, ServeCgi } from '@scgi/core';
import { SsgiBridge } from './bridge.js';
import { serveFetch } from './fetch-server.js';
import { SsgiHost } from './host.js';
import { serveNode } from './node-server.js';
import { askFramework, isFramework } from './supported.js';
import type { Picks } from './supported.js';
import type { SsgiApp, SsgiFramework, SsgiServeOptions } from './types.js';

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;

/**
 * Serves an SSGI application over SCGI, or what a framework picks; resolves when it listens. `close()` also waits for what
 * `runAsync` has begun, and closes WebSockets with 1001.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core; ERR_SCGI_OPTION for an interface that is not offered, that
 *   does not go with the other one, or whose package is not installed
 */
export async function serveScgi(app: SsgiApp | SsgiFramework, options: SsgiServeOptions = {}): Promise<RunningServer> {
  const { onError, maxDataBytes: _maxDataBytes, maxPayload: _maxPayload, ...serverOptions } = options;
  const picks = picksOf(app);
  const { http, websocket } = picks;
  const host = new SsgiHost(
    http?.[0] === 'ssgi' ? http[1] : null,
    websocket?.[0] === 'ssgi' ? websocket[1] : null,
    options,
  );
  switch (serverFor(picks)) {
    case 'ssgi':
      return withWork(await serveBridge(new SsgiBridge(host), serverOptions), host);
    case 'node': {
      const listener = http?.[0] === 'node' ? http[1] : null;
      const upgrade = websocket?.[0] === 'node' ? websocket[1] : null;
      return withWork(await serveNode(listener, upgrade, host, { ...serverOptions, onError }), host);
    }
    default:
      return serveFetch(http?.[1], websocket?.[1] ?? null, options, serverOptions);
  }
}

/**
 * Serves an SSGI application as a CGI program, where a web server has started this process for one request; else as
 * `serveScgi`. What the application prints goes to the standard error then.
 */
export const serveCgi: ServeCgi<SsgiApp | SsgiFramework, SsgiServeOptions> = cgiVariant(serveScgi);

function picksOf(app: SsgiApp | SsgiFramework): Picks {
  if (isFramework(app)) return askFramework(app);
  if (typeof app === 'function') return { http: ['ssgi', app], websocket: ['ssgi', app] };
  throw new LocalProtocolError('ERR_SCGI_OPTION', { fault: 'the application is no function and has no getSupported' });
}

/** Which server can serve both picks. */
function serverFor({ http, websocket }: Picks): 'ssgi' | 'node' | 'fetch' {
  const names = `${http?.[0] ?? 'none'}, ${websocket?.[0] ?? 'none'}`;
  switch (names) {
    case 'ssgi, ssgi':
    case 'ssgi, none':
    case 'none, ssgi':
    case 'none, none':
      return 'ssgi';
    case 'node, node':
    case 'node, ssgi':
    case 'node, none':
    case 'none, node':
      return 'node';
    case 'fetch, fetch':
    case 'fetch, none':
      return 'fetch';
    default:
      throw new LocalProtocolError('ERR_SCGI_OPTION', { picks: names, fault: 'these two do not go together' });
  }
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
  return { server, endpoints, close, [Symbol.asyncDispose]: () => close() };
}
