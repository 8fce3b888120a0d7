// A Fetch application over SCGI: the bridge and core's server put together.

import { cgiVariant, serveScgi as serveBridge } from '@scgi/core';
import type { RunningServer, ServeCgi, ServeOptions as CoreOptions } from '@scgi/core';
import { FetchBridge } from './bridge.js';
import type { FetchHandler } from './bridge.js';
import type { BackgroundWork, FetchErrorHook } from './context.js';
import type { WebSocketOptions } from './websocket.js';
import { WebSockets } from './websocket.js';

/** Options of `serveScgi`: those of @scgi/core. */
export interface ServeOptions extends Omit<CoreOptions, 'onError'> {
  /**
   * Hears of a handler that threw or rejected, of a response that cannot be sent, of failed `waitUntil` work; the client
   * hears only the status. Default: console.error, but for what fails because the client left.
   */
  onError?: FetchErrorHook | undefined;
  /**
   * Bounds for `upgradeWebSocket`. With this option, even if it is empty, a missing package `ws` shows at the start; without
   * it when the first WebSocket is accepted.
   */
  webSocket?: WebSocketOptions | undefined;
}

/** An application object: Hono, h3, itty-router, `export default { fetch }`. */
export interface FetchApp {
  fetch: FetchHandler;
}

const DEFAULT_CLOSE_TIMEOUT_MS = 30_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Serves a Fetch handler over SCGI; resolves when every address listens.
 * `close` waits for what was given to `waitUntil` too, within its timeout, and tells WebSockets that the server goes away.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core; ERR_SCGI_OPTION without `ws`, see `webSocket`
 * @throws {TypeError} for something that is no handler and has none
 */
export async function serveScgi(app: FetchHandler | FetchApp, options: ServeOptions = {}): Promise<RunningServer> {
  const { onError, webSocket, ...rest } = options;
  const webSockets = new WebSockets(webSocket);
  if (webSocket !== undefined) await webSockets.load();
  const bridge = new FetchBridge(handlerOf(app), webSockets, onError);
  const running = await serveBridge(bridge, rest);
  const close: RunningServer['close'] = async (closeOptions = {}) => {
    const timeoutMs = closeOptions.timeout ?? DEFAULT_CLOSE_TIMEOUT_MS;
    const end = performance.now() + timeoutMs;
    webSockets.closeAll();
    await running.close(closeOptions);
    await settleUntil(bridge.work, end);
  };
  return { ...running, close, [Symbol.asyncDispose]: () => close() };
}

/**
 * Serves a Fetch handler as a CGI program, where a web server has started this process for one request; else as
 * `serveScgi`. What the application prints goes to the standard error then.
 */
export const serveCgi: ServeCgi<FetchHandler | FetchApp, ServeOptions> = cgiVariant(serveScgi);

function handlerOf(app: FetchHandler | FetchApp): FetchHandler {
  if (typeof app === 'function') return app;
  if (typeof app?.fetch !== 'function') throw new TypeError('serveScgi needs a function, or an object with `fetch`');
  return (request, env, executionContext) => app.fetch(request, env, executionContext);
}

async function settleUntil(work: BackgroundWork, end: number): Promise<void> {
  const leftMs = end - performance.now();
  if (leftMs > LONGEST_TIMER_MS) return work.settle();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(leftMs, 0));
  });
  await Promise.race([work.settle(), deadline]);
  clearTimeout(timer);
}
