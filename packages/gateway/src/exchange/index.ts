// The public face of `@scgi/gateway/exchange`, for clients and test tools: re-exports only.

export { BackendSocket } from './backend-socket.js';
export { Exchange } from './exchange.js';
export type { ExchangeHandler, ExchangeRequest, ExchangeSettings } from './exchange.js';
export { parseTarget } from './target.js';
export type { BackendAddress, BackendTarget } from './target.js';
