// The public face of `@scgi/client/exchange`, for gateways and test tools: re-exports only.

export { RawDecoder } from './answer.js';
export type { AnswerDecoder, AnswerEvent } from './answer.js';
export { Backend } from './backend.js';
export { BackendSocket } from './backend-socket.js';
export type { Call, CallRequest } from './call.js';
export type { ExchangeHandler, ExchangeRequest, ExchangeSettings } from './exchange.js';
export type { Balance } from './peers.js';
export { resolveBackendSettings, resolveBound, resolveNumber, resolveTime } from './settings.js';
export type { BackendOptions, BackendSettings } from './settings.js';
export { Slots } from './slots.js';
export type { SlotSettings, SlotUser } from './slots.js';
export { Spool } from './spool.js';
export type { SpoolOptions } from './spool.js';
export { parseTarget, parseTargets } from './target.js';
export type { BackendAddress, BackendTarget, TcpTarget, UnixTarget } from './target.js';
