// serveScgi(): a Gemini handler behind a Gemini server that speaks SCGI. The bridge and core's server put together.

import { resolveTime } from '@scgi/client/exchange';
import { serveScgi as serveBridge } from '@scgi/core';
import type { RunningServer, ServeOptions as CoreOptions } from '@scgi/core';
import { logError } from '../handler.js';
import type { GeminiErrorHook, GeminiHandler } from '../handler.js';
import { lifespanOf } from '../lifespan.js';
import { GeminiBridge } from './bridge.js';

/** Options of `serveScgi`: those of @scgi/core that have a meaning without HTTP. */
export interface GeminiServeOptions extends Omit<CoreOptions, 'onError' | 'basePath' | 'unbufferedEvents'> {
  /** Until the handler has a response, milliseconds; then it is 42. 0 for no limit. Default 60,000. */
  handlerTimeout?: number | undefined;
  /** Hears of handlers and bodies that fail; the client hears no detail. Default: console.error. */
  onError?: GeminiErrorHook | undefined;
}

/**
 * Serves a handler over SCGI; resolves when every address listens. An application's `onStartup` runs first, its
 * `onShutdown` at the end of `close`.
 * @throws {LocalProtocolError} as `serveScgi` of @scgi/core
 */
export async function serveScgi(handler: GeminiHandler, options: GeminiServeOptions = {}): Promise<RunningServer> {
  const { handlerTimeout, onError = logError, ...rest } = options;
  const bridge = new GeminiBridge({
    handler,
    handlerTimeout: resolveTime('handlerTimeout', handlerTimeout, 60_000),
    onError,
  });
  const lifespan = lifespanOf(handler);
  await lifespan.start();
  let running: RunningServer;
  try {
    running = await serveBridge(bridge, rest);
  } catch (error) {
    await lifespan.stop();
    throw error;
  }
  let stopped: Promise<void> | undefined;
  const close: RunningServer['close'] = async (closeOptions) => {
    await running.close(closeOptions);
    stopped ??= lifespan.stop();
    await stopped;
  };
  return { ...running, close, [Symbol.asyncDispose]: () => close() };
}
