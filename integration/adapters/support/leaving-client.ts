// A client that leaves in the middle, over HTTP and over SCGI, and what the handler of an application gets to hear.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { encodeRequest } from '@scgi/core/protocol';
import { within } from '../../support/deadline.js';
import { Witness } from '../../nginx/support/witness.js';

/** How far the exchange gets. */
export const stages = [
  'before the body',
  'in the body',
  'before the head of the response',
  'in the body of the response',
] as const;
export type Stage = (typeof stages)[number];

/** What has one framework do at each stage: read the body, or nothing, or begin a response that does not end. */
export interface Visit {
  readonly stage: Stage;
  /** To be called with what the framework got, before anything else. */
  arrived(request: IncomingMessage, response: ServerResponse): void;
}

const bodyLength = 1000;

/**
 * Serves something that leaves at `stage`, and returns what happened until both request and response were closed.
 * Rejects if that took longer than a second from when the client left.
 * @param serve starts the application, whose handler calls `arrived`; returns its port on 127.0.0.1
 */
export async function eventsOfLeaving(
  stage: Stage,
  over: 'http' | 'scgi',
  serve: (visit: Visit) => Promise<number>,
): Promise<string[]> {
  let arrive = (_witness: Witness): void => {};
  const arrival = new Promise<Witness>((resolve) => (arrive = resolve));
  const port = await serve({ stage, arrived: (request, response) => arrive(new Witness(request, response)) });
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write(over === 'http' ? httpHead() : scgiHead());
    if (stage === 'in the body') socket.write(Buffer.alloc(bodyLength / 2));
    else if (stage !== 'before the body') socket.write(Buffer.alloc(bodyLength));
    const witness = await within(arrival, 5_000, 'the request at the handler');
    if (stage === 'in the body') await within(read(witness.request, bodyLength / 2), 5_000, 'half of the body');
    if (stage === 'before the head of the response') await within(read(witness.request, bodyLength), 5_000, 'the body');
    if (stage === 'in the body of the response') await within(once(socket, 'data'), 5_000, 'the response');
    // An EOF that came together with the request would be a half-close.
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    socket.destroy();
    await witness.closed(1_000);
    return witness.events;
  } finally {
    socket.destroy();
  }
}

function read(request: IncomingMessage, bytes: number): Promise<void> {
  let size = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size >= bytes) resolve();
    });
  });
}

function httpHead(): string {
  return `POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-test\r\nContent-Length: ${bodyLength}\r\n\r\n`;
}

function scgiHead(): Uint8Array {
  const variables = {
    REQUEST_METHOD: 'POST',
    REQUEST_URI: '/x',
    SERVER_PROTOCOL: 'HTTP/1.1',
    REMOTE_ADDR: '192.0.2.7',
    HTTP_HOST: 'a',
    CONTENT_TYPE: 'application/x-test',
  };
  return encodeRequest(Object.entries(variables).flat(), bodyLength);
}
