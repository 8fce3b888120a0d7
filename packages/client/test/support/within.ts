// Deadlines: no test waits for ever.

/** Fails instead of waiting for ever. */
export async function within<T>(what: string, promise: Promise<T>, deadlineMs = 5000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${deadlineMs} ms for ${what}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the condition holds, looking again at every turn of the event loop. */
export async function until(what: string, holds: () => boolean, deadlineMs = 5000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets the event loop go round: client, front and backend share it, so what was sent has arrived afterwards. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
