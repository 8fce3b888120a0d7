// CPU time of the app process per small request, and requests per second, for each application, kind of socket and
// way of nginx to pass requests on. The cells of one round run one after the other, then the next round begins.

import { setTimeout as delay } from 'node:timers/promises';
import { startApp } from '../support/app.js';
import { startNginx } from '../support/nginx.js';
import { cpuSeconds } from '../support/proc.js';
import { cpuGoals, overBareGoals } from '../goals.js';
import { spread, sum } from './cells.js';

const passes = ['scgi', 'close', 'keep-alive'];

/** Applications whose two sides are not `<app>-scgi` and `<app>-http`. */
const files = {
  'fetch-hono': { scgi: 'fetch-scgi' },
  'fetch-srvx': { scgi: 'fetch-scgi' },
  // SSGI has no HTTP server of its own: beside it stands the smallest one there is.
  ssgi: { http: 'bare-http' },
};

function fileOf(app, side) {
  return files[app]?.[side] ?? `${app}-${side}`;
}
const IDLE_SECONDS = 2;

/**
 * @param {string[]} apps names of applications
 * @returns {Promise<import('../report.js').RowResult>}
 */
export async function measureRequests(apps, { rounds, requests, warmUp }, { folder, load, log }) {
  const cells = apps.flatMap((app) =>
    ['unix', 'tcp'].flatMap((socket) => passes.map((pass) => ({ app, socket, pass, rounds: [] }))),
  );
  // A process per cell: none runs code that was optimised for another kind of socket or connection.
  for (const [index, cell] of cells.entries()) {
    const file = fileOf(cell.app, cell.pass === 'scgi' ? 'scgi' : 'http');
    cell.process = await startApp(file, cell.socket === 'unix' ? `${folder}/app${index}.sock` : undefined);
    cell.path = `/${cell.app}/${cell.socket}/${cell.pass}/`;
  }
  const nginx = await startNginx(
    folder,
    cells.map(({ path, pass, process }) => ({ path, pass, to: process.address })),
  );
  const run = (cell, count) => load.run(`http://127.0.0.1:${nginx.port}${cell.path}hello`, count);

  log('warming up');
  for (const cell of cells) await run(cell, warmUp);
  await measureIdle(cells);
  for (let round = 1; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`);
    for (const cell of cells) {
      const before = cpuSeconds(cell.process.pid);
      const seconds = await run(cell, requests);
      const cpu = cpuSeconds(cell.process.pid) - before - cell.idlePerSecond * seconds;
      cell.rounds.push({ requests, seconds, microseconds: (cpu * 1e6) / requests });
    }
  }
  await Promise.all([nginx.stop(), ...cells.map(({ process }) => process.stop())]);
  return summarize(cells);
}

/** What a process uses without requests is not the requests' cost. */
async function measureIdle(cells) {
  const before = cells.map((cell) => cpuSeconds(cell.process.pid));
  await delay(IDLE_SECONDS * 1000);
  for (const [index, cell] of cells.entries()) {
    cell.idlePerSecond = (cpuSeconds(cell.process.pid) - before[index]) / IDLE_SECONDS;
  }
}

function summarize(cells) {
  const results = cells.map(({ app, socket, pass, rounds }) => ({
    app,
    socket,
    pass,
    requests: sum(rounds.map(({ requests }) => requests)),
    microsecondsPerRequest: sum(rounds.map(({ microseconds }) => microseconds)) / rounds.length,
    requestsPerSecond: sum(rounds.map(({ requests }) => requests)) / sum(rounds.map(({ seconds }) => seconds)),
    rounds: rounds.map(({ microseconds }) => microseconds),
  }));
  const rows = [];
  const goals = [];
  for (let index = 0; index < results.length; index += passes.length) {
    const [scgi, close, keepAlive] = results.slice(index, index + passes.length);
    const ratio = scgi.microsecondsPerRequest / close.microsecondsPerRequest;
    const goal = cpuGoals[scgi.app];
    rows.push([
      scgi.app,
      scgi.socket,
      ...[scgi, close, keepAlive].map((cell) => cell.microsecondsPerRequest.toFixed(1)),
      ratio.toFixed(2),
      spread(scgi.rounds, close.rounds)
        .map((bound) => bound.toFixed(2))
        .join('–'),
      (scgi.microsecondsPerRequest / keepAlive.microsecondsPerRequest).toFixed(2),
      ...[scgi, close, keepAlive].map((cell) => Math.round(cell.requestsPerSecond).toLocaleString('en')),
    ]);
    if (goal === undefined) continue;
    goals.push({
      what: `${scgi.app}, ${scgi.socket}: CPU per request, SCGI ÷ HTTP with a connection per request`,
      value: ratio.toFixed(2),
      goal: `≤ ${goal}`,
      reached: ratio <= goal,
    });
  }
  goals.push(...compareWithBare(results));
  return {
    title: `Requests: CPU time of the app process in µs per request (${results[0].requests.toLocaleString('en')} requests per cell), then requests per second`,
    head: 'app|socket|SCGI|HTTP|HTTP k-a|SCGI÷HTTP|by round|SCGI÷k-a|SCGI/s|HTTP/s|k-a/s'.split('|'),
    rows,
    goals,
    data: results,
  };
}

/** What an interface costs over SCGI beside the bare listener, where both were measured. */
function compareWithBare(results) {
  const scgi = results.filter(({ pass }) => pass === 'scgi');
  return Object.entries(overBareGoals).flatMap(([app, goal]) =>
    ['unix', 'tcp'].flatMap((socket) => {
      const ours = scgi.find((cell) => cell.app.split('-')[0] === app && cell.socket === socket);
      const bare = scgi.find((cell) => cell.app === 'bare' && cell.socket === socket);
      if (ours === undefined || bare === undefined) return [];
      const ratio = ours.microsecondsPerRequest / bare.microsecondsPerRequest;
      const what = `${app}, ${socket}: CPU per request over SCGI, ÷ the bare listener`;
      return [{ what, value: ratio.toFixed(2), goal: `≤ ${goal}`, reached: ratio <= goal }];
    }),
  );
}
