// One request to one site, octet by octet, over a connection of its own, and all that comes back.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { within } from '../../../support/deadline.js';
import type { Ending, Field } from '../../../oracle/support/answer.js';
import { readAnswer, type Answer } from './answer.js';
import type { Case } from './case.js';

const deadlineMs = 10_000;

/** Where a site is. */
export interface Site {
  readonly port: number;
  readonly tlsPort: number;
}

/** Asks; of ports, which no two sites share, names remain. */
export async function ask(site: Site, request: Case, target: string): Promise<Answer> {
  const { tls = false, method = 'GET' } = request;
  const port = tls ? site.tlsPort : site.port;
  const socket = await open(port, tls);
  const ownPort = socket.localPort ?? 0;
  try {
    const answered = readToEnd(socket);
    socket.write(requestHead(request, target, port), 'latin1');
    if (request.body !== undefined) socket.write(request.body, 'latin1');
    const { bytes, ending } = await within(answered, deadlineMs, `the answer to ${method} ${target}`);
    return withoutPorts(readAnswer(bytes, ending, method), port, ownPort);
  } finally {
    socket.destroy();
  }
}

async function open(port: number, tls: boolean): Promise<Socket> {
  const options = { host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false };
  const socket = tls ? connectTls(options) : connect(options);
  const connected = new Promise<void>((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', resolve).once('error', reject);
  });
  await within(connected, deadlineMs, `a connection to port ${port}`);
  return socket;
}

function requestHead(request: Case, target: string, port: number): string {
  const { method = 'GET', protocol = 'HTTP/1.1', host = `example.test:${port}`, fields = [], body } = request;
  const isFramed = fields.some(([name]) => /^(?:content-length|transfer-encoding)$/i.test(name));
  const length: Field[] = body === undefined || isFramed ? [] : [['Content-Length', `${body.length}`]];
  const all: Field[] = [['Host', host], ['Connection', 'close'], ...fields, ...length];
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} ${protocol}\r\n${lines.join('')}\r\n`;
}

function readToEnd(socket: Socket): Promise<{ bytes: Buffer; ending: Ending }> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const finish = (ending: Ending): void => resolve({ bytes: Buffer.concat(chunks), ending });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => finish('fin'));
    socket.on('error', () => finish('reset'));
  });
}

function withoutPorts(answer: Answer, port: number, ownPort: number): Answer {
  const clean = (text: string): string => text.replaceAll(`:${port}`, ':PORT');
  const named = ([name, value]: Field): Field => {
    if (name === 'SERVER_PORT' && value === `${port}`) return [name, 'PORT'];
    if (name === 'REMOTE_PORT' && value === `${ownPort}`) return [name, 'CLIENT'];
    return [name, clean(value)];
  };
  const { fields, body, seen } = answer;
  return {
    ...answer,
    fields: fields.map(named),
    body: clean(body),
    seen: seen && { ...seen, variables: seen.variables.map(named) },
  };
}
