// Tells when a transfer is blocked: there is no event for that, only a counter that no longer moves.

import { until } from '../../support/deadline.js';

/** Waits until `read` gives the same number five times in a row, some 50 ms in all, and returns that number. */
export async function standstill(read: () => number | Promise<number>, ms = 10_000): Promise<number> {
  let latest = NaN;
  let times = 0;
  await until(
    async () => {
      const now = await read();
      times = now === latest ? times + 1 : 1;
      latest = now;
      return times === 5;
    },
    ms,
    'a standstill',
  );
  return latest;
}
