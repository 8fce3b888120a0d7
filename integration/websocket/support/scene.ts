// A WebSocket server of the package ws behind a real nginx with nothing but the stock parameters, and clients for it.
// The nginx tests' stage takes everything down.

import type { ScgiListener } from '@scgi/core';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket, WebSocketServer, type ClientOptions, type ServerOptions } from 'ws';
import type { Stage, StagedApp, StageOptions } from '../../nginx/support/stage.js';
import { within } from '../../support/deadline.js';
import type { Nginx, NginxOptions } from '../../support/nginx.js';
import { Peer, stepMs } from './peer.js';

export interface SceneOptions extends StageOptions {
  /** For requests that are none for WebSocket. Default: answers `plain`. */
  readonly listener?: ScgiListener;
  /** Options of the WebSocketServer, which is attached to the SCGI server. */
  readonly webSocket?: ServerOptions;
  readonly front?: NginxOptions;
}

export interface ClientWishes extends ClientOptions {
  /** Default `/`. */
  readonly path?: string;
  readonly protocols?: string[];
}

/** An application, the front end before it, and what is needed to talk to both. */
export interface Scene {
  readonly app: StagedApp;
  readonly nginx: Nginx;
  readonly webSockets: WebSocketServer;
  /** A client that has not shaken hands yet. */
  dial(wishes?: ClientWishes): Peer;
  /** A client, and the server's end of its WebSocket. */
  meet(wishes?: ClientWishes): Promise<{ client: Peer; server: Peer; request: IncomingMessage }>;
}

/** Serves WebSockets in this process, behind nginx. */
export async function setUpScene(stage: Stage, options: SceneOptions = {}): Promise<Scene> {
  const { listener = answerPlainly, webSocket = {}, front, ...rest } = options;
  const app = await stage.serve(listener, rest);
  const webSockets = new WebSocketServer({ server: app.server, ...webSocket });
  return { ...(await putNginxBefore(stage, app, webSockets, front)), webSockets };
}

/** The same for an application that has its WebSocketServer already. */
export async function putNginxBefore(
  stage: Stage,
  app: StagedApp,
  webSockets: WebSocketServer,
  front: NginxOptions = {},
): Promise<Scene> {
  const nginx = await stage.nginx({ ...front, to: app.address });
  const secure = front.tls !== undefined;
  const origin = (secure ? nginx.tlsOrigin : nginx.origin).replace('http', 'ws');
  const dial = (wishes?: ClientWishes): Peer => dialWebSocket(stage, origin, wishes);
  const meet: Scene['meet'] = async (wishes) => {
    const met = once(webSockets, 'connection').then(([socket, request]) => ({ server: new Peer(socket), request }));
    const client = dial(wishes);
    await client.opened();
    return { client, ...(await within(met, stepMs, 'the connection at the server')) };
  };
  return { app, nginx, webSockets, dial, meet };
}

/** Opens a WebSocket, which ends with the test at the latest. */
export function dialWebSocket(stage: Stage, origin: string, wishes: ClientWishes = {}): Peer {
  const { path = '/', protocols = [], ...options } = wishes;
  const socket = new WebSocket(`${origin}${path}`, protocols, { rejectUnauthorized: false, ...options });
  stage.add(() => socket.terminate());
  return new Peer(socket);
}

/** Lets every WebSocket of a server send back what it gets. */
export function echoAll(webSockets: WebSocketServer): void {
  webSockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => {});
  });
}

const answerPlainly: ScgiListener = (_request, response) => void response.end('plain');
