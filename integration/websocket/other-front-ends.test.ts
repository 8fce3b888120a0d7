// Front ends that do not carry a 101: Apache's mod_proxy_scgi, lighttpd before 1.4.74, and later ones that are not told
// to. Nobody may hang there: the handshake is answered as a normal request, and Socket.IO stays with polling.

import { Server } from 'socket.io';
import { io as connect, type Socket as Client } from 'socket.io-client';
import { expect } from 'vitest';
import { WebSocketServer } from 'ws';
import { test, type Stage, type StagedApp } from '../nginx/support/stage.js';
import { startApache } from '../support/apache.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { startLighttpd } from '../support/lighttpd.js';
import { refusal, stepMs } from './support/peer.js';
import { dialWebSocket, echoAll } from './support/scene.js';

type Front = (stage: Stage, app: StagedApp) => Promise<{ readonly origin: string }>;

const apache: Front = async (stage, app) => {
  const front = await startApache({ to: app.address });
  stage.add(front.stop);
  return front;
};

const lighttpd: Front = async (stage, app) => {
  const front = await startLighttpd({ to: app.address });
  stage.add(front.stop);
  return front;
};

function describeRefusal(front: Front): void {
  test('the handshake is answered as a normal request', async ({ stage }) => {
    const app = await stage.serve(({ headers }, response) => {
      response.end(`plain, upgrade: ${headers.upgrade}, key: ${headers['sec-websocket-key']?.length}`);
    });
    const webSockets = new WebSocketServer({ server: app.server });
    echoAll(webSockets);
    const { origin } = await front(stage, app);
    const { response, text } = await refusal(dialWebSocket(stage, origin.replace('http', 'ws')).socket);
    expect(response.statusCode).toBe(200);
    expect(text).toBe('plain, upgrade: undefined, key: 24');
    expect(webSockets.clients.size).toBe(0);
  });

  test('Socket.IO stays with polling, and works', async ({ stage }) => {
    const app = await stage.serve((_request, response) => void response.end('plain'));
    const io = new Server(app.server);
    stage.add(() => io.disconnectSockets(true));
    io.on('connection', (peer) => peer.on('echo', (what, reply) => reply(what)));
    const { origin } = await front(stage, app);
    const socket: Client = connect(origin, { forceNew: true, reconnection: false });
    stage.add(() => socket.disconnect());
    let failures = 0;
    socket.io.engine.on('upgradeError', () => (failures += 1));
    await within(new Promise<void>((resolve) => socket.once('connect', resolve)), stepMs, 'a connection');
    await until(() => failures === 1, stepMs, 'the failure of the upgrade');
    expect(await socket.timeout(stepMs).emitWithAck('echo', 'still here')).toBe('still here');
    expect(socket.io.engine.transport.name).toBe('polling');
  });
}

describeWith('apache', 'WebSocket through Apache', () => {
  describeRefusal(apache);
});

// Newer ones, too, need to be told: `"upgrade" => "enable"`.
describeWith('lighttpd', 'WebSocket through lighttpd', () => {
  describeRefusal(lighttpd);
});
