// A CGI program as a web server on a host with nothing else would run it: one process for one request.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { adopt } from './children.js';
import { within } from './deadline.js';

const request = {
  GATEWAY_INTERFACE: 'CGI/1.1',
  REQUEST_METHOD: 'GET',
  REQUEST_URI: '/hello',
  SCRIPT_NAME: '',
  PATH_INFO: '/hello',
  SERVER_PROTOCOL: 'HTTP/1.1',
  SERVER_NAME: 'a',
  SERVER_PORT: '80',
};

/**
 * @typedef {object} CgiCell
 * @property {string} name
 * @property {readonly string[]} command  file and arguments
 * @property {string} [answer]  what the output must have in it, default `Hello world`
 * @property {Readonly<Record<string, string>>} [env]  besides the request
 */

/**
 * Runs each of the cells once a round, so that a machine that gets slower hits all of them.
 * @param {readonly CgiCell[]} cells
 * @param {number} rounds
 * @returns {Promise<{ name: string, median: number, lowest: number, ninetieth: number }[]>} milliseconds from start to end
 */
export async function timeCgiProcesses(cells, rounds) {
  const times = cells.map(() => []);
  for (let round = -2; round < rounds; round++) {
    for (const [index, cell] of cells.entries()) {
      const milliseconds = await time(cell);
      // The first ones read the program from the disk.
      if (round >= 0) times[index].push(milliseconds);
    }
  }
  return cells.map(({ name }, index) => {
    const sorted = times[index].toSorted((a, b) => a - b);
    return { name, median: sorted[rounds >> 1], lowest: sorted[0], ninetieth: sorted[Math.floor(rounds * 0.9)] };
  });
}

/** Milliseconds from the start of a process to its end, its whole answer read. */
async function time({ name, command: [file, ...args], answer = 'Hello world', env }) {
  const startedAt = performance.now();
  const child = adopt(spawn(file, args, { env: { ...request, ...env }, stdio: ['ignore', 'pipe', 'inherit'] }));
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  const [code] = await within(20_000, name, once(child, 'close'));
  const milliseconds = performance.now() - startedAt;
  if (code !== 0 || !output.includes(answer)) throw new Error(`${name} ended with code ${code} and said ${output}`);
  return milliseconds;
}

/** @returns {string[][]} name, median, lowest, nine of ten, and the median ÷ that of the first one */
export function timeRows(results) {
  const [scale] = results;
  return results.map(({ name, median, lowest, ninetieth }) => [
    name,
    median.toFixed(2),
    lowest.toFixed(2),
    ninetieth.toFixed(2),
    (median / scale.median).toFixed(2),
  ]);
}
