// Drives a real client for the terminal: types keys, waits for what the screen shows.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until, within } from '../../support/deadline.js';
import { requireFrontEnd } from '../../support/front-ends.js';
import type { ProgramName } from '../../support/front-ends.js';

export interface Terminal {
  /** Types keys; what was on the screen before counts no more for `shows`. */
  type(keys: string): void;
  /** Waits until the screen has shown this text. */
  shows(text: string): Promise<void>;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('terminal.py', import.meta.url));

/** Starts a client on a page, in a home of its own that holds these files. */
export function startClient(program: ProgramName, url: string, files: Readonly<Record<string, string>> = {}): Terminal {
  const home = mkdtempSync(join(tmpdir(), `scgi-${program}-`));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const child = spawn(requireFrontEnd('python'), [script, requireFrontEnd(program), url], {
    env: {
      ...process.env,
      HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home,
      XDG_DATA_HOME: home,
      TERM: 'xterm',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
  return {
    type(keys) {
      from = output.length;
      child.stdin.write(keys);
    },
    async shows(text) {
      const screen = (): string => withoutControls(output.slice(from));
      await until(
        () => screen().includes(text),
        10_000,
        () => `${JSON.stringify(text)} on the screen, which shows\n${screen()}`,
      );
    },
    async stop() {
      child.stdin.end();
      await within(closed, 5_000, `the end of ${program}`).finally(() => child.kill('SIGKILL'));
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The text that is written, without cursor movements, colours and links. */
function withoutControls(output: string): string {
  return output
    .replace(/\p{Cc}\][^\p{Cc}]*\p{Cc}\\?/gu, '')
    .replace(/\p{Cc}(?:\[[0-9;?]*[A-Za-z]|\([A-Z0-9])/gu, '')
    .replace(/[ \r\n]+/g, ' ');
}
