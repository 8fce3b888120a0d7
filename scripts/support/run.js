// Runs one command as a child process and shows that it is alive without showing all it says.
// Owns child processes, progress lines and the passing on of signals; knows nothing of what the commands do.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

const exitCodes = { SIGINT: 130, SIGTERM: 143 };

/**
 * Runs a command to its end and never rejects: a command that cannot be started has the code 127.
 * Its output is held back and returned, unless `live` passes it through. What is undefined in `env` it does not get.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string | undefined>, live?: boolean, onWait?: (seconds: number) => void }} [options]
 * @returns {Promise<{ ok: boolean, code: number, output: string, seconds: number }>}
 */
export function run(command, args, { env = {}, live = false, onWait } = {}) {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...env },
      stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
    });
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));

    const ticker = onWait && setInterval(() => onWait(elapsed()), 1000);
    const passOn = (signal) => {
      child.once('exit', () => process.exit(exitCodes[signal]));
      child.kill(signal);
    };
    process.on('SIGINT', passOn).on('SIGTERM', passOn);

    const finish = (code, message = '') => {
      clearInterval(ticker);
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      const text = Buffer.concat(output).toString() + message;
      resolve({ ok: code === 0, code, output: text, seconds: elapsed() });
    };
    child.once('error', (error) => finish(127, `${command}: ${error.message}\n`));
    child.once('close', (code) => finish(code ?? 1));
  });
}

/**
 * Runs a command as a named step: one line while it works and one when it is done, its output only if it fails.
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string> }} [options]
 */
export async function step(name, command, args, options = {}) {
  const progress = startProgress(name);
  const result = await run(command, args, { ...options, onWait: progress.wait });
  progress.end(`${result.ok ? 'ok  ' : 'FAIL'} ${name} (${formatSeconds(result.seconds)})`);
  if (!result.ok) process.stdout.write(indent(excerpt(result.output)));
  return result;
}

/** @param {number} seconds */
export function formatSeconds(seconds) {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** On a terminal one line that counts the seconds; in a log a sign of life twice a minute. */
function startProgress(name) {
  const terminal = process.stdout.isTTY === true;
  process.stdout.write(terminal ? `     ${name} …` : `     ${name} …\n`);
  return {
    wait(seconds) {
      if (terminal) process.stdout.write(`\r     ${name} … ${Math.round(seconds)} s`);
      else if (Math.round(seconds) % 30 === 0) console.log(`     ${name} … ${Math.round(seconds)} s`);
    },
    end(line) {
      process.stdout.write(terminal ? `\r\x1b[K${line}\n` : `${line}\n`);
    },
  };
}

/** The first lines, where npm says what is wrong, and the last ones, where others do. */
function excerpt(text, head = 20, tail = 40) {
  const lines = text.trimEnd().split('\n');
  const left = lines.length - head - tail;
  return left <= 0 ? lines : [...lines.slice(0, head), `… ${left} more lines …`, ...lines.slice(-tail)];
}

function indent(lines) {
  return lines.map((line) => `       ${line}\n`).join('');
}
