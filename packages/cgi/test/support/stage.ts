// Node's own server around a listener, and a client that sees every byte of an answer. Closed when the test ends.

import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type OutgoingHttpHeaders, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

export interface Answered {
  readonly status: number;
  readonly reason: string;
  /** Names and values in turn, without Date and what belongs to the connection. */
  readonly fields: readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

export interface Stage {
  readonly port: number;
  /** Rejects where an answer breaks off. */
  ask(asked?: Asked): Promise<Answered>;
  /** Resolves with the head; not reading the message holds the answer back. */
  open(asked?: Asked): Promise<IncomingMessage>;
  /** A bare connection. */
  connect(): Promise<Socket>;
}

const ofTheConnection = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);

export async function startStage(listener: RequestListener): Promise<Stage> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const open = async ({ method = 'GET', path = '/', headers, body }: Asked = {}): Promise<IncomingMessage> => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const options = { port, host: '127.0.0.1', method, path, headers: { ...length, ...headers }, agent: false };
    const sent = request(options).end(body);
    const [response]: IncomingMessage[] = await once(sent, 'response');
    if (response === undefined) throw new Error('unreachable: an event without its argument');
    sent.on('error', () => {});
    return response;
  };
  const ask = async (asked?: Asked): Promise<Answered> => {
    const response = await open(asked);
    const body = Buffer.concat(await response.toArray());
    const { statusCode = 0, statusMessage = '', rawHeaders } = response;
    return { status: statusCode, reason: statusMessage, fields: endToEnd(rawHeaders), body, text: body.toString() };
  };
  return { port, ask, open, connect: () => openSocket(port) };
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

function endToEnd(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const [name = '', value = ''] = fields.slice(index, index + 2);
    if (!ofTheConnection.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
