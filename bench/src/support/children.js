// Every process that the benchmark starts, so that none outlives it, however it ends.

const children = new Set();

/** Kills `child` when the benchmark exits, unless it has gone by then. */
export function adopt(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Ends `child` and waits until it is gone. */
export async function end(child, signal = 'SIGTERM') {
  if (!children.has(child)) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const force = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(force);
}

process.once('exit', () => {
  // nginx's master takes its worker along on SIGTERM, which SIGKILL would leave behind.
  for (const child of children) child.kill('SIGTERM');
});
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
]) {
  process.once(signal, () => process.exit(128 + number));
}
