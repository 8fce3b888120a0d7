// One application twice: over node:http, and over SCGI behind the embedded front. Asks both the same with supertest
// and holds the answers to be the same. Knows nothing of any middleware.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { ScgiListener } from '@scgi/core';
import { createFront, type Front } from '@scgi/testing';
import request, { type Test } from 'supertest';
import { expect, onTestFinished } from 'vitest';

/** Starts something of supertest's: `(agent) => agent.get('/').set('Accept', 'text/html')`. */
export type Ask = (agent: ReturnType<typeof request>) => Test;

/** An answer whose body is complete; gzip, deflate and br are undone. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
}

export interface BothWays {
  readonly http: Server;
  /** Speaks HTTP; the application behind it is reached over SCGI. */
  readonly front: Front;
  /** Asks over SCGI alone. */
  scgi(ask: Ask): Promise<Answer>;
  /** Asks over both, expects equal answers (fields named in `except` aside) and returns the one over SCGI. */
  same(ask: Ask, except?: readonly string[]): Promise<Answer>;
}

/** About the one connection, or the clock of the server that sent it. */
const aside = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding']);

/** Each way gets an application of its own, so that no state is shared. Both end with the test. */
export async function serveBothWays(create: () => ScgiListener): Promise<BothWays> {
  return joinWays(await listen(createServer(create())), await serveFront(create()));
}

/** The same for what listens already. */
export function joinWays(http: Server, front: Front): BothWays {
  const scgi = (ask: Ask): Promise<Answer> => send(front.server, ask);
  return {
    http,
    front,
    scgi,
    async same(ask, except = []) {
      const expected = await send(http, ask);
      const answer = await scgi(ask);
      expect(comparable(answer, expected, except)).toEqual(comparable(expected, expected, except));
      return answer;
    },
  };
}

/** Serves over SCGI alone; ends with the test. */
export async function serveFront(app: Parameters<typeof createFront>[0]): Promise<Front> {
  const front = await createFront(app);
  onTestFinished(() => front.close());
  return front;
}

/** Lets a server listen on a free port of loopback until the test ends. */
export async function listen<T extends Server>(server: T): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return server;
}

/** `http://127.0.0.1:port` of a server that listens. */
export function originOf(server: Server): string {
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

/** Asks one server. */
export async function send(server: Server, ask: Ask): Promise<Answer> {
  const response = await ask(request(server)).buffer(true).parse(collect);
  const body: unknown = response.body;
  const bytes = body instanceof Buffer ? body : Buffer.alloc(0);
  const cookies: unknown = response.headers['set-cookie'];
  return {
    status: response.status,
    headers: response.headers,
    cookies: Array.isArray(cookies) ? cookies.map(String) : [],
    body: bytes,
    text: bytes.toString(),
  };
}

function collect(response: unknown, done: (error: Error | null, body: Buffer) => void): void {
  const stream = response as IncomingMessage;
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  stream.on('end', () => done(null, Buffer.concat(chunks)));
}

function comparable(answer: Answer, oracle: Answer, except: readonly string[]): unknown {
  const fields = Object.entries(answer.headers).filter(([name]) => !aside.has(name) && !except.includes(name));
  // Over SCGI a length that is known when the head leaves is stated where HTTP would send chunks.
  const kept = fields.filter(([name]) => name !== 'content-length' || 'content-length' in oracle.headers);
  return { status: answer.status, headers: Object.fromEntries(kept), body: answer.text };
}
