// What a request costs on a host with nothing but CGI: one process of each of the programs cgi2scgi, from its start to its
// end, with the request to an SCGI server in between. Beside a process that does nothing.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startApp } from '../support/app.js';
import { timeCgiProcesses, timeRows } from '../support/cgi-process.js';

const packageFolder = new URL('../../../packages/cgi/', import.meta.url);
const fileOf = (name) => fileURLToPath(new URL(name, packageFolder));

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureCgi2Scgi({ quick }, { folder, log }) {
  const app = await startApp('bare-scgi', `${folder}/app.sock`);
  const env = { SCGI_TO: app.address };
  const cells = programs(folder, log).map((program) => ({ ...program, env }));
  const runs = quick ? 20 : 200;
  log(`${runs} requests by each of ${cells.map(({ name }) => name).join(', ')}`);
  const results = await timeCgiProcesses(cells, runs);
  await app.stop();
  return {
    title: `cgi2scgi: milliseconds from the start of the process to its end, one request after the other, ${runs} times`,
    head: ['program', 'median', 'lowest', '90 of 100 below', '÷ /bin/true'],
    rows: timeRows(results),
    goals: [],
    data: results,
  };
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
