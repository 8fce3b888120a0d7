// A CGI program under Apache's mod_cgid, under our runner, and as a handler over SCGI: requests per second, and CPU time of
// everything that serves a request. One program is the least there can be, in C; the other is in JavaScript, so that the
// same function is a process per request and a handler.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cgiHandlerGoal, cgiRunnerGoal } from '../goals.js';
import { startApache } from '../support/apache.js';
import { startApp } from '../support/app.js';
import { startNginx } from '../support/nginx.js';
import { treeCpuSeconds } from '../support/proc.js';
import { spread, sum } from './cells.js';

const sources = fileURLToPath(new URL('../programs/', import.meta.url));

/** At a time. With more, mod_cgid now and then fails to reach its own process, and a failed request ends the run. */
const CONNECTIONS = 8;

/** What starts programs, see the options of `cgiDirectory`: 'node' is for machines without Python and Perl, and has no goal. */
const launchers = ['auto', 'node'];

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureCgi({ rounds, cgiRequests }, { folder, load, log }) {
  const programs = writePrograms(`${folder}/programs`);
  for (const name of ['apache', 'nginx']) mkdirSync(`${folder}/${name}`);
  // Root's Apache runs programs as www-data, who has to get here: the folder above is that of the whole run.
  for (const place of [dirname(folder), folder]) chmodSync(place, 0o755);
  const apache = await startApache(`${folder}/apache`, programs);
  const runners = [];
  for (const launcher of launchers) {
    const settings = JSON.stringify({ folder: programs, mount: `/${launcher}`, launcher });
    runners.push(await startApp('cgi-runner', `${folder}/${launcher}.sock`, settings));
  }
  const handler = await startApp('cgi-handler', `${folder}/handler.sock`);
  const nginx = await startNginx(`${folder}/nginx`, [
    ...launchers.map((name, index) => ({ path: `/${name}/`, pass: 'scgi', to: runners[index].address })),
    { path: '/handler/', pass: 'scgi', to: handler.address },
  ]);
  const inApache = { origin: `http://127.0.0.1:${apache.port}`, pids: [apache.pid] };
  const behindNginx = (app) => ({ origin: `http://127.0.0.1:${nginx.port}`, pids: [nginx.pid, app.pid] });
  // A start of Node.js takes some forty times as long as one of the program in C.
  const few = Math.ceil(cgiRequests / 20);
  const cells = [
    { name: 'C, mod_cgid', path: '/cgi-bin/tiny', requests: cgiRequests, ...inApache },
    ...launchers.map((name, index) => ({
      name: `C, cgiDirectory, launcher ${name}`,
      path: `/${name}/tiny`,
      requests: cgiRequests,
      ...behindNginx(runners[index]),
    })),
    { name: 'JavaScript, mod_cgid', path: '/cgi-bin/hello', requests: few, ...inApache },
    { name: 'JavaScript, cgiDirectory', path: '/auto/hello', requests: few, ...behindNginx(runners[0]) },
    { name: 'JavaScript, handler', path: '/handler/hello', requests: cgiRequests * 5, ...behindNginx(handler) },
  ].map((cell) => ({ ...cell, rounds: [] }));
  log('warming up');
  for (const { origin, path, requests } of cells)
    await load.run(origin + path, Math.ceil(requests / 4), false, CONNECTIONS);
  for (let round = 1; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`);
    for (const cell of cells) cell.rounds.push(await measureCell(cell, load));
  }
  await Promise.all([nginx, apache, handler, ...runners].map((server) => server.stop()));
  return summarize(cells);
}

async function measureCell({ origin, path, requests, pids }, load) {
  const cpu = () => sum(pids.map(treeCpuSeconds));
  const before = cpu();
  const seconds = await load.run(origin + path, requests, false, CONNECTIONS);
  return { perSecond: requests / seconds, microseconds: ((cpu() - before) * 1e6) / requests };
}

function writePrograms(folder) {
  mkdirSync(folder);
  execFileSync('cc', ['-O2', '-o', `${folder}/tiny`, `${sources}tiny.c`]);
  const program = `#!${process.execPath}
import { hello } from '${sources}hello.js';
hello(process.env, process.stdin, process.stdout);
`;
  // Node takes a file without extension for CommonJS, unless it begins with an import as this one does.
  writeFileSync(`${folder}/hello`, program);
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
  chmodSync(`${folder}/hello`, 0o755);
  return folder;
}

function summarize(cells) {
  const results = cells.map(({ name, rounds }) => ({
    name,
    perSecond: rounds.length / sum(rounds.map(({ perSecond }) => 1 / perSecond)),
    microseconds: sum(rounds.map(({ microseconds }) => microseconds)) / rounds.length,
    rounds: rounds.map(({ perSecond }) => perSecond),
  }));
  const compare = (ours, theirs, goal) => {
    const [a, b] = [ours, theirs].map((name) => results.find((result) => result.name === name));
    const ratio = a.perSecond / b.perSecond;
    const [least, most] = spread(a.rounds, b.rounds).map((value) => value.toFixed(2));
    const what = `${ours} ÷ ${theirs}: requests per second (by round ${least}–${most})`;
    return { what, value: ratio.toFixed(2), goal: `≥ ${goal}`, reached: ratio >= goal };
  };
  return {
    title: 'CGI programs: requests per second, and CPU time of all that serves a request in µs',
    head: ['program, served by', 'requests/s', 'µs'],
    rows: results.map(({ name, perSecond, microseconds }) => [
      name,
      Math.round(perSecond).toLocaleString('en'),
      Math.round(microseconds).toLocaleString('en'),
    ]),
    goals: [
      compare('C, cgiDirectory, launcher auto', 'C, mod_cgid', cgiRunnerGoal),
      compare('JavaScript, cgiDirectory', 'JavaScript, mod_cgid', cgiRunnerGoal),
      compare('JavaScript, handler', 'JavaScript, mod_cgid', cgiHandlerGoal),
      compare('JavaScript, handler', 'JavaScript, cgiDirectory', cgiHandlerGoal),
    ],
    data: results,
  };
}
