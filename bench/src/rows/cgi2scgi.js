// What a request costs on a host with nothing but CGI: one process of each of the programs cgi2scgi, from its start to its
// end, with the request to an SCGI server in between. Beside a process that does nothing.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startApp } from '../support/app.js';
import { adopt } from '../support/children.js';
import { within } from '../support/deadline.js';

const packageFolder = new URL('../../../packages/cgi/', import.meta.url);
const fileOf = (name) => fileURLToPath(new URL(name, packageFolder));

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureCgi2Scgi({ quick }, { folder, log }) {
  const app = await startApp('bare-scgi', `${folder}/app.sock`);
  const cells = programs(folder, log).map((program) => ({ ...program, milliseconds: [] }));
  const runs = quick ? 20 : 200;
  log(`${runs} requests by each of ${cells.map(({ name }) => name).join(', ')}`);
  for (let run = -2; run < runs; run++) {
    for (const cell of cells) {
      const milliseconds = await time(cell, app.address);
      // The first ones read the program from the disk.
      if (run >= 0) cell.milliseconds.push(milliseconds);
    }
  }
  await app.stop();
  return summarize(cells, runs);
}

/** Those that this machine can run. */
function programs(folder, log) {
  const c = compile(`${folder}/cgi2scgi`, [], log);
  const linked = compile(`${folder}/cgi2scgi-static`, ['-static'], log);
  return [
    { name: '/bin/true', command: ['/bin/true'], answer: '' },
    ...(linked === undefined ? [] : [{ name: 'C, linked statically', command: [linked] }]),
    ...(c === undefined ? [] : [{ name: 'C', command: [c] }]),
    { name: 'Perl', command: ['/usr/bin/perl', fileOf('native/cgi2scgi.pl')] },
    { name: 'Node.js doing nothing', command: [process.execPath, '-e', '0'], answer: '' },
    { name: 'Node.js', command: [process.execPath, fileOf('bin/cgi2scgi.js')] },
  ];
}

function compile(file, flags, log) {
  try {
    execFileSync('cc', ['-O2', ...flags, '-o', file, fileOf('native/cgi2scgi.c')], { stdio: 'pipe' });
    return file;
  } catch {
    log(`cc ${flags.join(' ')} does not work here: left out`);
    return undefined;
  }
}

/** Milliseconds from the start of a process to its end, its whole answer read. */
async function time({ name, command: [file, ...args], answer = 'Hello world' }, address) {
  const env = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: 'GET',
    REQUEST_URI: '/',
    SCRIPT_NAME: '',
    PATH_INFO: '/',
  };
  Object.assign(env, { SERVER_PROTOCOL: 'HTTP/1.1', SERVER_NAME: 'a', SERVER_PORT: '80', SCGI_TO: address });
  const startedAt = performance.now();
  const child = adopt(spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] }));
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const [code] = await within(20_000, name, once(child, 'close'));
  const milliseconds = performance.now() - startedAt;
  if (code !== 0 || !output.includes(answer)) throw new Error(`${name} ended with code ${code} and said ${output}`);
  return milliseconds;
}

function summarize(cells, runs) {
  const results = cells.map(({ name, milliseconds }) => {
    const sorted = milliseconds.toSorted((a, b) => a - b);
    return { name, median: sorted[runs >> 1], lowest: sorted[0], ninetieth: sorted[Math.floor(runs * 0.9)] };
  });
  const [nothing] = results;
  return {
    title: `cgi2scgi: milliseconds from the start of the process to its end, one request after the other, ${runs} times`,
    head: ['program', 'median', 'lowest', '90 of 100 below', '÷ /bin/true'],
    rows: results.map(({ name, median, lowest, ninetieth }) => [
      name,
      median.toFixed(2),
      lowest.toFixed(2),
      ninetieth.toFixed(2),
      (median / nothing.median).toFixed(2),
    ]),
    goals: [],
    data: results,
  };
}
