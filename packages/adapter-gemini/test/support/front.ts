// A front that listens for one test.

import { onTestFinished } from 'vitest';
import { listenGemini } from '../../src/index.js';
import type { GeminiHandler, GeminiListenOptions, GeminiServer } from '../../src/index.js';
import { fixture } from './client.js';

export interface TestFront {
  readonly server: GeminiServer;
  readonly port: number;
  /** What went to `onError`. */
  readonly errors: unknown[];
}

/** Listens until the test ends. */
export async function front(handler: GeminiHandler, options: Partial<GeminiListenOptions> = {}): Promise<TestFront> {
  const errors: unknown[] = [];
  const server = await listenGemini(handler, {
    key: fixture('server-key.pem'),
    cert: fixture('server.pem'),
    port: 0,
    onError: (error) => void errors.push(error),
    ...options,
  });
  onTestFinished(() => server.close({ timeout: 0 }));
  return { server, port: server.port, errors };
}
