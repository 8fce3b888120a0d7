export type { CgiEnv, RunningServer } from '@scgi/core';
export type { FetchHandler } from './bridge.js';
export type { FetchContext, FetchErrorHook } from './context.js';
export { installLightResponse, LightResponse } from './light-response.js';
export { serveScgi } from './serve.js';
export type { FetchApp, ServeOptions } from './serve.js';
export { getScgiEnv } from './scgi-env.js';
export { upgradeWebSocket } from './websocket.js';
export type { ServerWebSocket, WebSocketListeners, WebSocketOptions } from './websocket.js';
