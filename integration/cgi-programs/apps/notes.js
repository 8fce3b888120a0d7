// What an application tells the test from inside of its process, line by line, and what it waits for.

import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';

// A request says where, by a number: another test's process may live a moment longer than its answer.
const file = join(process.env.NOTES_FOLDER ?? '', /^\d+$/.exec(process.env.HTTP_X_NOTES ?? '0')[0]);

/** Adds a line. */
export function note(text) {
  appendFileSync(file, `${text}\n`);
}

/** Waits until the test opens the gate, for ten seconds at most. */
export async function gate(name) {
  for (let tries = 0; tries < 1000 && !existsSync(`${file}-${name}`); tries += 1) await setTimeout(10);
}

process.once('exit', (code) => note(`exit ${code}`));
