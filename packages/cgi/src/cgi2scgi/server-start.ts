// Starting the server that nobody else has started. It lives on when this process and its request are long gone, so it
// gets nothing of them: no pipe, for whose end the web server would wait, and no variable, which a client may have made.

import { LocalProtocolError } from '@scgi/core/protocol';
import { dirname } from 'node:path';
import { defaultSearchPath, isExecutable } from '../executable.js';

/** The program that starts the server. */
export class ServerStart {
  readonly #program: string;
  #running: boolean;

  constructor(program: string) {
    this.#program = program;
    this.#running = false;
  }

  /** Nobody listens: runs the program, unless what was started last has not ended. Returns what makes that impossible. */
  attempt(): LocalProtocolError | undefined {
    if (this.#running) return undefined;
    if (!isExecutable(this.#program)) {
      const option = `--start=${this.#program}`;
      return new LocalProtocolError('ERR_SCGI_OPTION', { option, problem: 'not an executable file' });
    }
    this.#running = true;
    const ended = (): void => {
      this.#running = false;
    };
    // Not imported: only few requests need it, and all would wait for it to load.
    const { spawn } = process.getBuiltinModule('node:child_process');
    const program = spawn(this.#program, [], {
      cwd: dirname(this.#program),
      env: { PATH: process.env['PATH'] ?? defaultSearchPath },
      detached: true,
      stdio: 'ignore',
    });
    // Without a process for it there is another attempt.
    program.on('error', ended);
    program.on('exit', ended);
    program.unref();
    return undefined;
  }
}
