// Connections that are open and silent: an event stream that waits, and a WebSocket.

import { WebSocketServer } from 'ws';

/** @type {import('node:http').RequestListener} */
export function waiting(_req, res) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  res.write(': open\n\n');
}

/** @param {import('node:http').Server} server */
export function acceptWebSockets(server) {
  new WebSocketServer({ server, perMessageDeflate: false });
  return server;
}
