export { createGeminiApp, GeminiApp } from './app.js';
export type { LifespanHook } from './app.js';
export { GeminiBackend, ScgiApp, scgiBackend, ScgiHandler } from './backend/backend.js';
export { GeminiResponseDecoder } from './backend/decoder.js';
export type { GeminiHead } from './backend/decoder.js';
export type { ExtraVariables, ScgiBackendOptions } from './backend/options.js';
export { listenGemini } from './front/listen.js';
export type { GeminiListenOptions, GeminiServer } from './front/listen.js';
export type {
  GeminiErrorHook,
  GeminiFunction,
  GeminiHandler,
  GeminiHandlerObject,
  GeminiMiddleware,
  GeminiResult,
} from './handler.js';
export { GeminiRequest } from './request.js';
export type { ClientCertificate, GeminiState, GivenFacts, TlsFacts } from './request.js';
export { GeminiResponse } from './response.js';
export type { GeminiBody } from './body.js';
export { serveScgi } from './server/serve.js';
export type { GeminiServeOptions } from './server/serve.js';
export { parseGeminiUrl } from './url.js';
export type { GeminiUrl, UrlRefusal } from './url.js';
export type { BackendTarget } from '@scgi/client/exchange';
export type { RunningServer } from '@scgi/core';
