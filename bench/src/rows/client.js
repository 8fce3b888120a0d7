// Calls per second, and CPU time per call, of the client: one connection at a time and many, against the way that
// hand-made clients have, and against sockets with nothing around them.

import { once } from 'node:events';
import { startApp } from '../support/app.js';
import { within } from '../support/deadline.js';
import { cpuSeconds } from '../support/proc.js';
import { sum } from './cells.js';

const ways = [
  { way: 'client', concurrency: 1 },
  { way: 'strings', concurrency: 1 },
  { way: 'socket', concurrency: 1 },
  { way: 'client', concurrency: 32 },
  { way: 'socket', concurrency: 32 },
];

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureClient({ rounds, requests, warmUp }, { folder, log }) {
  const cells = [];
  for (const socket of ['unix', 'tcp']) {
    const app = await startApp('bare-scgi', socket === 'unix' ? `${folder}/app.sock` : undefined);
    for (const way of ways) {
      const process = await startApp('client-calls', undefined, app.address);
      cells.push({ ...way, socket, app, process, rounds: [] });
    }
  }
  log('warming up');
  for (const cell of cells) await call(cell, warmUp);
  for (let round = 1; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`);
    for (const cell of cells) {
      const before = cpuSeconds(cell.process.pid);
      const seconds = await call(cell, requests);
      cell.rounds.push({ requests, seconds, cpu: cpuSeconds(cell.process.pid) - before });
    }
  }
  await Promise.all([...new Set(cells.flatMap(({ app, process }) => [process, app]))].map((one) => one.stop()));
  return summarize(cells);
}

async function call({ way, concurrency, process }, amount) {
  process.child.send({ way, amount, concurrency });
  const [{ seconds }] = await within(120_000, `${amount} calls by ${way}`, once(process.child, 'message'));
  return seconds;
}

function summarize(cells) {
  const results = cells.map(({ way, concurrency, socket, rounds }) => {
    const requests = sum(rounds.map((round) => round.requests));
    return {
      way,
      concurrency,
      socket,
      perSecond: requests / sum(rounds.map(({ seconds }) => seconds)),
      microseconds: (sum(rounds.map(({ cpu }) => cpu)) * 1e6) / requests,
    };
  });
  return {
    title: 'Client: calls per second, and CPU time of the calling process in µs per call',
    head: ['calls by', 'at a time', 'socket', 'calls/s', 'µs'],
    rows: results.map(({ way, concurrency, socket, perSecond, microseconds }) => [
      way,
      String(concurrency),
      socket,
      Math.round(perSecond).toLocaleString('en'),
      microseconds.toFixed(1),
    ]),
    goals: [],
    data: results,
  };
}
