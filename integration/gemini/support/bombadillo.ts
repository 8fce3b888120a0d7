// Drives a real Bombadillo, a Gemini client for the terminal: types keys, waits for what the screen shows.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/deadline.js';
import { requireFrontEnd } from '../../support/front-ends.js';

export interface Bombadillo {
  /** Types keys; what was on the screen before counts no more for `shows`. */
  type(keys: string): void;
  /** Gives a command: a number follows that link. */
  command(text: string): Promise<void>;
  /** Waits until the screen has shown this text. */
  shows(text: string): Promise<void>;
  stop(): void;
}

const script = fileURLToPath(new URL('terminal.py', import.meta.url));

/** Starts it on a page, without settings of its own. It knows no client certificates. */
export function startBombadillo(url: string): Bombadillo {
  const home = mkdtempSync(join(tmpdir(), 'scgi-bombadillo-'));
  const child = spawn(requireFrontEnd('python'), [script, requireFrontEnd('bombadillo'), url], {
    env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
  const type = (keys: string): void => {
    from = output.length;
    child.stdin.write(keys);
  };
  const shows = async (text: string): Promise<void> => {
    const screen = (): string => withoutControls(output.slice(from));
    await until(
      () => screen().includes(text),
      10_000,
      () => `${JSON.stringify(text)} on the screen, which shows\n${screen()}`,
    );
  };
  return {
    type,
    shows,
    async command(text) {
      // It reads a line from here on: what is typed before is lost.
      type(':');
      await shows(':');
      type(`${text}\r`);
    },
    stop() {
      child.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The text that is written, without cursor movements and colours. */
function withoutControls(output: string): string {
  return output.replace(/\p{Cc}\[[0-9;?]*[A-Za-z]/gu, '').replace(/[ \r\n]+/g, ' ');
}
