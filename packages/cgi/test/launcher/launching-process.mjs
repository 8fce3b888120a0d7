// A process that launches programs, for tests of what remains of it. Its argument is JSON: what to launch, what to do when
// all of it has started or failed to, and what to launch once the last program has ended.

import { HelperLauncher } from './dist/launcher/helper-launcher.js';

const { helper, commands, afterwards, later } = JSON.parse(process.argv[2]);
const fallback = { launch: () => say({ event: 'fallback' }), close: () => {} };
const launcher = new HelperLauncher(helper, fallback);
const running = new Set();
let unanswered = 0;

function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function launch(command, onSettled) {
  let program;
  unanswered++;
  launcher.launch(command, {
    onStart(started) {
      program = started;
      running.add(program);
      say({ event: 'start', pid: program.pid });
      program.output.setEncoding('latin1').on('data', (text) => say({ event: 'output', text }));
      program.errors.resume();
      if (--unanswered === 0) onSettled();
    },
    onStartFailed({ code }) {
      say({ event: 'failed', code });
      if (--unanswered === 0) onSettled();
    },
    onExit(code, signal) {
      say({ event: 'exit', code, signal });
      running.delete(program);
      if (running.size === 0) for (const next of later?.splice(0) ?? []) launch(next, () => {});
    },
  });
}

for (const command of commands) {
  launch(command, () => {
    say({ event: 'answered' });
    if (afterwards === 'exit') process.exit();
    if (afterwards === 'end inputs') for (const { input } of running) input?.end();
  });
}
