// CPU time of an HTTP front per small request: ours before an SCGI application against the proxies that Node users have
// before the same application over HTTP. The load generator speaks to the front itself, over kept connections.

import { startApp } from '../support/app.js';
import { cpuSeconds } from '../support/proc.js';
import { frontGoal } from '../goals.js';
import { spread, sum } from './cells.js';

/**
 * Fronts, what they pass requests on to, and what ours are compared with. `reconnect`: the client opens a connection for
 * every request, because http-proxy-middleware without an agent of the user's own closes them.
 */
const fronts = [
  { name: 'createHttpFront', file: 'front-gateway', app: 'bare-scgi', against: ['proxy', 'fastify'] },
  { name: 'createHttpFront, unix', file: 'front-gateway', app: 'bare-scgi', unix: true, against: ['proxy', 'fastify'] },
  {
    name: 'createHttpFront, reconnect',
    file: 'front-gateway',
    app: 'bare-scgi',
    reconnect: true,
    against: ['proxy, reconnect'],
  },
  { name: 'Express, scgi()', file: 'front-express-gateway', app: 'bare-scgi', against: ['Express, proxy'] },
  {
    name: 'Express, scgi(), unix',
    file: 'front-express-gateway',
    app: 'bare-scgi',
    unix: true,
    against: ['Express, proxy'],
  },
  { name: 'least front, unix', file: 'front-least', app: 'bare-scgi', unix: true },
  { name: 'proxy', file: 'front-proxy', app: 'bare-http' },
  { name: 'proxy, reconnect', file: 'front-proxy-plain', app: 'bare-http', reconnect: true },
  { name: 'Express, proxy', file: 'front-express-proxy', app: 'bare-http' },
  { name: 'fastify', file: 'front-fastify-proxy', app: 'bare-http' },
];

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureFronts({ rounds, requests, warmUp }, { folder, load, log }) {
  const cells = [];
  for (const [index, front] of fronts.entries()) {
    const app = await startApp(front.app, front.unix === true ? `${folder}/app${index}.sock` : undefined);
    const process = await startApp(front.file, undefined, app.address);
    cells.push({ ...front, app, process, rounds: [], url: `http://${process.address}/hello` });
  }
  log('warming up');
  for (const { url, reconnect } of cells) await load.run(url, warmUp, reconnect);
  for (let round = 1; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`);
    for (const cell of cells) {
      const before = cpuSeconds(cell.process.pid);
      const seconds = await load.run(cell.url, requests, cell.reconnect);
      const cpu = cpuSeconds(cell.process.pid) - before;
      cell.rounds.push({ requests, seconds, microseconds: (cpu * 1e6) / requests });
    }
  }
  await Promise.all(cells.flatMap(({ app, process }) => [process.stop(), app.stop()]));
  return summarize(cells);
}

function summarize(cells) {
  const results = cells.map(({ name, against = [], rounds }) => ({
    name,
    against,
    microsecondsPerRequest: sum(rounds.map(({ microseconds }) => microseconds)) / rounds.length,
    requestsPerSecond: sum(rounds.map(({ requests }) => requests)) / sum(rounds.map(({ seconds }) => seconds)),
    rounds: rounds.map(({ microseconds }) => microseconds),
  }));
  return {
    title: 'Fronts: CPU time of the front in µs per request, and requests per second',
    head: ['front', 'µs', 'requests/s'],
    rows: results.map(({ name, microsecondsPerRequest, requestsPerSecond }) => [
      name,
      microsecondsPerRequest.toFixed(1),
      Math.round(requestsPerSecond).toLocaleString('en'),
    ]),
    goals: results.flatMap((ours) => ours.against.map((name) => compare(ours, results, name))),
    data: results,
  };
}

function compare(ours, results, name) {
  const theirs = results.find((result) => result.name === name);
  const ratio = ours.microsecondsPerRequest / theirs.microsecondsPerRequest;
  const [least, most] = spread(ours.rounds, theirs.rounds);
  return {
    what: `${ours.name} ÷ ${name}: CPU of the front per request (by round ${least.toFixed(2)}–${most.toFixed(2)})`,
    value: ratio.toFixed(2),
    goal: `≤ ${frontGoal}`,
    reached: ratio <= frontGoal,
  };
}
