// The events of a net.Server as promises that leave no listener behind. Knows no addresses and no connections.
import type { ListenOptions, Server } from 'node:net';

/**
 * Resolves once the server listens. `check` runs in the same tick, before the event loop can accept a connection; if it
 * throws, the server is closed and nobody got in. Rejects with the plain error of Node.
 */
export function startListening(
  server: Server,
  options: ListenOptions | { readonly fd: number },
  check?: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      server.off('error', onError);
      server.off('listening', onListening);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onListening = (): void => {
      settle();
      try {
        check?.();
        resolve();
      } catch (error) {
        server.close(() => reject(error));
      }
    };
    server.on('error', onError);
    server.on('listening', onListening);
    try {
      server.listen(options);
    } catch (error) {
      settle();
      reject(error);
    }
  });
}

/** Resolves once the server and its connections are closed. */
export function closeServer(server: Server): Promise<void> {
  // The only error that close() reports is "not running", which is what we want.
  return new Promise((resolve) => void server.close(() => resolve()));
}

/** The `code` of a system error such as EADDRINUSE; undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
