// What the start of an application costs where each request is one: `serveCgi` by its adapters, as they are installed and
// bundled with the application into one file.

import module from 'node:module';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { timeCgiProcesses, timeRows } from '../support/cgi-process.js';

const applications = ['bare', 'express', 'fastify', 'fetch'];
const fileOf = (name) => fileURLToPath(new URL(`../apps/${name}-cgi.js`, import.meta.url));

/** @returns {Promise<import('../report.js').RowResult>} */
export async function measureServeCgi({ quick }, { folder, log }) {
  const cells = [{ name: 'node -e 0', command: [process.execPath, '-e', '0'], answer: '' }];
  for (const name of applications) {
    const bundled = await bundle(fileOf(name), folder);
    cells.push({ name, command: [process.execPath, fileOf(name)] });
    cells.push({ name: `${name}, one file`, command: [process.execPath, bundled] });
    if (module.enableCompileCache !== undefined) cells.push(cached(name, bundled, folder));
  }
  const runs = quick ? 5 : 40;
  log(`${runs} requests to each of ${cells.map((cell) => cell.name).join('; ')}`);
  const results = await timeCgiProcesses(cells, runs);
  return {
    title: `serve-cgi: milliseconds from the start of the process to its end, one request after the other, ${runs} times`,
    head: ['application', 'median', 'lowest', '90 of 100 below', '÷ node -e 0'],
    rows: timeRows(results),
    goals: [],
    data: results,
  };
}

async function bundle(file, folder) {
  const build = await rolldown({ input: file, platform: 'node', logLevel: 'silent' });
  const { output } = await build.write({ dir: folder, entryFileNames: '[name].mjs' });
  return `${folder}/${output[0].fileName}`;
}

function cached(name, bundled, folder) {
  const cache = `${folder}/${name}-cache`;
  mkdirSync(cache);
  const env = { NODE_COMPILE_CACHE: cache };
  return { name: `${name}, one file, compile cache`, command: [process.execPath, bundled], env };
}
