// Every wait of the benchmark ends: with a result, or with an error that says what was waited for.

/** Rejects when `promise` has not settled in time. */
export async function within(milliseconds, what, promise) {
  let timer;
  const expiry = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${milliseconds / 1000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
