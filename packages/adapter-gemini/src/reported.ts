// Errors that somebody has heard of: a backend's failure is told to the backend's hook, and then breaks a body, which would
// be told to the front's hook as well. Knows no hook.

const reported: WeakSet<object> = new WeakSet();

export function markReported(error: Error): void {
  reported.add(error);
}

export function wasReported(error: unknown): boolean {
  return typeof error === 'object' && error !== null && reported.has(error);
}
