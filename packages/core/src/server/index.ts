export { ScgiConnection, RequestPhase } from './connection.js';
export type { ConnectionSocket } from './connection-socket.js';
export { formatErrorResponse } from './error-response.js';
export type { ConnectionHost, ConnectionSettings, HalfOpenRule, RequestHandler } from './handler.js';
export { connectionOf, readEvents } from './socket-listeners.js';
export { ConnectionSweep } from './sweep.js';
