// The codec's own benchmark, in a process of its own: what it prints becomes this row.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { adopt } from '../support/children.js';
import { within } from '../support/deadline.js';

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureDecode() {
  const file = fileURLToPath(new URL('../decode.js', import.meta.url));
  const child = adopt(fork(file, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }));
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const [code] = await within(60_000, 'decode.js', once(child, 'close'));
  if (code !== 0) throw new Error(`decode.js ended with code ${code}`);
  const results = [...output.matchAll(/^(.+?) +([\d,]+) \/ s$/gm)].map(([, what, perSecond]) => ({
    what,
    perSecond: Number(perSecond.replaceAll(',', '')),
  }));
  if (results.length === 0) throw new Error(`decode.js printed no figure: ${output}`);
  return {
    title: 'The codec alone, per second on one core',
    head: ['what', 'per second', 'µs'],
    rows: results.map(({ what, perSecond }) => [what, perSecond.toLocaleString('en'), (1e6 / perSecond).toFixed(2)]),
    goals: [],
    data: results,
  };
}
