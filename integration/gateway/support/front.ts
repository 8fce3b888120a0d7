// A stand-alone front that ends with the test's stage.

import type { AddressInfo } from 'node:net';
import type { ScgiError } from '@scgi/core';
import { createHttpFront, type HttpFrontOptions } from '@scgi/gateway';
import type { Stage } from '../../nginx/support/stage.js';

export interface StagedFront {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** What `onError` was told. */
  readonly errors: readonly ScgiError[];
}

/** Starts a front. */
export async function startFront(stage: Stage, options: HttpFrontOptions): Promise<StagedFront> {
  const errors: ScgiError[] = [];
  const server = createHttpFront({ onError: (error) => void errors.push(error), ...options });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stage.add(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the front has no TCP port');
  return { origin: `http://127.0.0.1:${address.port}`, port: address.port, errors };
}
