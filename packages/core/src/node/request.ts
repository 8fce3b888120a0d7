// The `http.IncomingMessage` of a request, filled from what the front end sent.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { ScgiRequest } from '../env/index.js';
import type { RequestHead } from '../protocol/index.js';
import type { Mount, ScgiHttpServer } from './http-server.js';
import { setJoinRule, setRequestFields, setUpgrade } from './internals/request.js';
import { ScgiInfo } from './scgi-info.js';

/** Makes the request of one connection. `mount` is undefined for one that is not the application's. */
export function createRequest(
  server: ScgiHttpServer,
  socket: Socket,
  head: RequestHead,
  facts: ScgiRequest,
  mount: Mount | undefined,
): IncomingMessage {
  const request = new server.incomingMessageClass(socket);
  request.method = facts.method;
  request.url = mount?.url ?? facts.target;
  if (mount !== undefined && mount.basePath !== '') Object.assign(request, { originalUrl: facts.target });
  request.httpVersionMajor = 1;
  request.httpVersionMinor = facts.httpVersionMinor;
  request.httpVersion = facts.httpVersionMinor === 1 ? '1.1' : '1.0';
  if (server.joinsDuplicateFields) setJoinRule(request, true);
  setUpgrade(request, false);
  request.scgi = new ScgiInfo(head, mount?.basePath ?? '', server.frontEndSettings);
  setRequestFields(request, facts.fields);
  return request;
}
