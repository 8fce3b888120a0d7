// Every wait of the oracle suite goes through here, so that nothing can wait for ever.
// Knows nothing of what is waited for.

/** Longest time, in milliseconds, that any single wait of a behaviour may take. */
export const deadlineMs = 4000;

/**
 * Settles as `promise` does, or rejects once the deadline has passed.
 * @param what names the event that was waited for, for the message
 * @throws Error when `promise` is still pending after `ms` milliseconds
 */
export async function within<T>(promise: Promise<T>, what: string, ms: number = deadlineMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
