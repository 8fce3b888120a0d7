// A server as a child process: waits until it listens, and ends it with the place.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { accepts } from './ports.js';

/** @param where it will listen, as `net.connect` takes it */
export async function startChild(place, [command, ...args], where, options = {}) {
  // Detached: Ctrl-C is for us alone, and we end one after the other.
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], detached: true, ...options });
  let exited = false;
  const exit = once(child, 'exit').then(() => {
    exited = true;
    if (place.ending === undefined) place.emit('failure', new Error(`${command} has ended by itself`));
  });
  place.ends.push(() => {
    child.kill('SIGTERM');
    // nginx does not hear it while it starts its workers. The whole group: they would stay.
    setTimeout(() => exited || process.kill(-child.pid, 'SIGKILL'), 5000).unref();
    return exit;
  });
  for (let attempt = 0; !exited && !(await accepts(where)); attempt += 1) {
    if (attempt === 400) throw new Error(`${command} does not listen`);
    await wait(25);
  }
}
