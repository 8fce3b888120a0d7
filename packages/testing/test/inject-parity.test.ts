// The same application asked twice: by `inject`, and over a TCP socket by a raw client. What comes back and what the
// application sees must be equal.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createScgiServer, guardListener, serveScgi } from '@scgi/core';
import { expect, onTestFinished, test } from 'vitest';
import { toWireRequest } from '../src/inject/request.js';
import { inject, rawRequest } from '../src/index.js';
import { behaviours, codeOf, type Behaviour, type Note } from './support/behaviours.js';

/** What the two ways are compared by. */
interface Outcome {
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly fields: readonly string[];
  readonly body: string;
  readonly fault: string | undefined;
  readonly notes: readonly unknown[];
}

async function overInject({ app, request, options = {} }: Behaviour): Promise<Outcome> {
  const notes: unknown[] = [];
  const note: Note = (...facts) => void notes.push(facts);
  const listener = (req: IncomingMessage, res: ServerResponse): unknown => app(req, res, note);
  const scgi = { ...options, onError: (error: unknown) => note('failed', String(error)) };
  try {
    const { status, reason, fields, body, fault } = await inject(listener, request, { scgi });
    return { status, reason, fields, body: body.toString('latin1'), fault: fault?.code, notes };
  } catch (error) {
    return { status: undefined, reason: undefined, fields: [], body: '', fault: codeOf(error), notes };
  }
}

async function overSocket({ app, request = {}, options = {} }: Behaviour): Promise<Outcome> {
  const notes: unknown[] = [];
  const note: Note = (...facts) => void notes.push(facts);
  const listener = (req: IncomingMessage, res: ServerResponse): unknown => app(req, res, note);
  const onError = (error: unknown): void => note('failed', String(error));
  const { endpoints, close } = await serveScgi(listener, { ...options, bind: 0, onError });
  onTestFinished(() => close({ timeout: 0 }));
  const wire = await toWireRequest(request);
  const pieces: Uint8Array[] = [];
  for await (const piece of wire.body) pieces.push(piece);
  const parts = { variables: wire.variables, body: Buffer.concat(pieces) };
  const response = await rawRequest(endpoints[0]?.address ?? '', parts);
  const { status, reason, fields, body, ended } = response;
  const counted = fields.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
  const wholeAnyway = counted && response.fault === undefined;
  // The client of production calls every answer that a reset cuts off by that name.
  const fault = ended === 'reset' && !wholeAnyway ? 'ERR_SCGI_BACKEND_RESET' : response.fault?.code;
  return { status, reason, fields, body: body.toString('latin1'), fault, notes };
}

test('the table has no name twice', () => {
  expect(new Set(behaviours.map(({ name }) => name)).size).toBe(behaviours.length);
});

test.each(behaviours)('$name', async (behaviour) => {
  const injected = await overInject(behaviour);
  const real = await overSocket(behaviour);
  expect(injected).toEqual(real);
  expect(injected.status ?? injected.fault).toBeDefined();
});

test('an upgrade goes to the listener of the server, as over a socket', async () => {
  const server = createScgiServer(
    {},
    guardListener(() => {}),
  );
  server.on('upgrade', (_request: IncomingMessage, socket: NodeJS.WritableStream) => {
    socket.end('Status: 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\nhello');
  });
  const response = await inject(server, { variables: { HTTP_UPGRADE: 'test', HTTP_CONNECTION: 'Upgrade' } });
  expect(response).toMatchObject({ status: 101, text: 'hello', broken: false });
});
