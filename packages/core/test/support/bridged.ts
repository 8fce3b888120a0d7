// One request on a bridge: a handler that does nothing but what the test makes it do.

import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { ScgiServerOptions } from '../../src/index.js';
import { createScgiServer } from '../../src/index.js';
import type { BridgedRequest, RequestHandler } from '../../src/server/index.js';
import { RequestBody, ResponseWriter } from '../../src/server/index.js';
import type { Ending } from './raw-client.js';
import { connect, ending, head, within } from './raw-client.js';

export interface Bridged {
  readonly request: BridgedRequest;
  readonly writer: ResponseWriter;
  readonly body: RequestBody;
  /** Resolves when the socket takes bytes again. */
  drained(): Promise<void>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  /** What the client gets until the end. */
  readonly ending: Promise<Ending>;
  readonly client: Awaited<ReturnType<typeof connect>>;
}

/** Sends `bytes` and resolves when the request's head is read. */
export async function bridge(
  bytes: string = head(),
  options: ScgiServerOptions = {},
  collects: boolean = true,
): Promise<Bridged> {
  let onRequest: (value: Omit<Bridged, 'client' | 'ending'>) => void = () => {};
  const arrived = new Promise<Omit<Bridged, 'client' | 'ending'>>((resolve) => (onRequest = resolve));
  const server = createScgiServer(options, {
    createHandler(request): RequestHandler {
      const writer = new ResponseWriter(request);
      const body = new RequestBody(request.connection);
      let onDrain: () => void = () => {};
      let onClose: () => void = () => {};
      const closed = new Promise<void>((resolve) => (onClose = resolve));
      const drained = (): Promise<void> => new Promise((resolve) => (onDrain = resolve));
      return {
        get responseStarted() {
          return writer.headSent;
        },
        get responseEnded() {
          return writer.ended;
        },
        get bufferedBytes() {
          return body.bufferedBytes;
        },
        start: () => onRequest({ request, writer, body, drained, closed }),
        onBody: (chunk) => body.push(chunk),
        discardBody: () => !body.isRead && (body.discard(), true),
        onEnd: () => body.end(),
        onDrain: () => onDrain(),
        onClose() {
          body.fail(new Error('the client is gone'));
          onClose();
        },
      };
    },
  });
  server.listen(0);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const client = await connect(server.address());
  onTestFinished(() => void client.destroy());
  const end = collects ? ending(client) : new Promise<Ending>(() => {});
  client.write(Buffer.from(bytes, 'latin1'));
  return { ...(await within('the request', arrived)), client, ending: end };
}
