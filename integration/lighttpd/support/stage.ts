// What a test sets up: applications behind a real lighttpd. The applications are those of the stage for nginx.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { test as stageTest, type Stage } from '../../nginx/support/stage.js';
import { startLighttpd, type Lighttpd, type LighttpdOptions } from '../../support/lighttpd.js';
import type { TestAPI } from 'vitest';

export { transports, type Stage, type StagedApp, type Transport } from '../../nginx/support/stage.js';

/** Starts a lighttpd that ends with the test. */
export type LighttpdBefore = (options: LighttpdOptions) => Promise<Lighttpd>;

/** vitest's `test` with a stage of its own for each test, and a lighttpd on it. */
export const test: TestAPI<{ stage: Stage; lighttpd: LighttpdBefore }> = stageTest.extend<{
  lighttpd: LighttpdBefore;
}>({
  lighttpd: async ({ stage }, use) => {
    await use(async (options) => {
      const lighttpd = await startLighttpd(options);
      stage.add(lighttpd.stop);
      return lighttpd;
    });
  },
});

/** What `mirror` answers. */
export interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly originalUrl: string | undefined;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  /** As latin1. */
  readonly body: string;
  readonly env: Readonly<Record<string, string>>;
  readonly socket: Readonly<Record<string, unknown>>;
}

/** Answers with what the application got. */
export async function mirror(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, httpVersion, headers, rawHeaders, socket } = request;
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  const encrypted = Reflect.get(socket, 'encrypted');
  const body = Buffer.concat(await request.toArray()).toString('latin1');
  const originalUrl: unknown = Reflect.get(request, 'originalUrl');
  const ends = { remoteAddress, remotePort, localAddress, localPort, encrypted };
  const seen = {
    method,
    url,
    originalUrl,
    httpVersion,
    headers,
    rawHeaders,
    body,
    env: request.scgi.env,
    socket: ends,
  };
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(seen));
}
