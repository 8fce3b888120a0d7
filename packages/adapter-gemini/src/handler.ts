// What answers requests: the types, and the one place where a handler of any kind is called.

import { GeminiResponse } from './response.js';
import type { GeminiRequest } from './request.js';

/** Text is answered as `20 text/gemini`. */
export type GeminiResult = GeminiResponse | string;

export type GeminiFunction = (request: GeminiRequest) => GeminiResult | Promise<GeminiResult>;

/** An application, or an SCGI backend. */
export interface GeminiHandlerObject {
  handle(request: GeminiRequest): GeminiResult | Promise<GeminiResult>;
}

export type GeminiHandler = GeminiFunction | GeminiHandlerObject;

/** Wraps what comes behind it: `next` runs that and resolves with its response. */
export type GeminiMiddleware = (
  request: GeminiRequest,
  next: () => Promise<GeminiResponse>,
) => GeminiResult | Promise<GeminiResult>;

/** Hears of what failed; the client hears no detail. The request is missing where none was read. */
export type GeminiErrorHook = (error: unknown, request: GeminiRequest | undefined) => void;

/** @throws what the handler throws; TypeError if it answers with something else */
export async function callHandler(handler: GeminiHandler, request: GeminiRequest): Promise<GeminiResponse> {
  return toResponse(await (typeof handler === 'function' ? handler(request) : handler.handle(request)));
}

/** @throws {TypeError} for what is no response */
export function toResponse(result: unknown): GeminiResponse {
  if (result instanceof GeminiResponse) return result;
  if (typeof result === 'string') return GeminiResponse.success(result);
  throw new TypeError('the handler returned neither a GeminiResponse nor a string');
}

/** The default of `onError`. */
export function logError(error: unknown, request: GeminiRequest | undefined): void {
  console.error(`${request?.url ?? 'a request'} failed:`, error);
}
