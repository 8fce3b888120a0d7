// The pick 'node': a listener of Node's request and response objects, which core serves as it is. WebSockets go to a
// listener of `upgrade`, or to an SSGI handler.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { serveScgi as serveListener } from '@scgi/core';
import type { RunningServer, ScgiListener, ServeOptions } from '@scgi/core';
import type { SsgiHost } from './host.js';
import { serveNodeUpgrade } from './node-upgrade.js';
import { plainAnswer } from './response-head.js';
import type { NodeUpgradeHandler } from './types.js';

/** Serves HTTP with `listener`, null for 503; WebSockets with `upgrade`, else with the host's handler, else with 501. */
export async function serveNode(
  listener: ScgiListener | null,
  upgrade: NodeUpgradeHandler | null,
  host: SsgiHost,
  options: ServeOptions,
): Promise<RunningServer> {
  const onUpgrade = upgrade ?? ssgiUpgrade(host);
  const serve = (request: IncomingMessage, response: ServerResponse): unknown => {
    // With a handler for them, only those come here that arrived before it was set, or are malformed.
    if (asksForWebSocket(request)) return answer(response, onUpgrade === null ? 501 : 503);
    return listener === null ? answer(response, 503) : listener(request, response);
  };
  const running = await serveListener(serve, options);
  if (onUpgrade === null) return running;
  const { server } = running;
  // Node's own name for it since version 24.9; core reads it in every version. Other upgrades, h2c among them, are ignored.
  Object.assign(server, { shouldUpgradeCallback: asksForWebSocket });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    host.work.run(
      () => onUpgrade(request, socket, head),
      (error) => {
        socket.destroy();
        host.onError(error, request);
      },
    );
  });
  return running;
}

function ssgiUpgrade(host: SsgiHost): NodeUpgradeHandler | null {
  const { websocket } = host;
  if (websocket === null) return null;
  return (request, socket, head) => serveNodeUpgrade(request, socket, head, websocket, host);
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

function answer(response: ServerResponse, status: number): void {
  const { fields, body } = plainAnswer(status);
  response.writeHead(status, [...fields]).end(body);
}
