/**
 * Collects from now on what this process fails to handle, in place of vitest, which would end the run at the first one.
 * After `stop` it is vitest's again.
 */
export function collectUnhandled(): { readonly errors: readonly unknown[]; stop(): void } {
  const errors: unknown[] = [];
  const collect = (error: unknown): void => void errors.push(error);
  const rejections = process.listeners('unhandledRejection');
  const exceptions = process.listeners('uncaughtException');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', collect);
  process.removeAllListeners('uncaughtException').on('uncaughtException', collect);
  return {
    errors,
    stop() {
      process.off('unhandledRejection', collect).off('uncaughtException', collect);
      for (const listener of rejections) process.on('unhandledRejection', listener);
      for (const listener of exceptions) process.on('uncaughtException', listener);
    },
  };
}
