// Starts programs with Node's own `child_process`: works everywhere, but each start is a fork of the whole Node.js
// process, which copies its page tables: more than a millisecond in which nothing else happens.

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants as files, openSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import type { Command, Launcher, LaunchHandler, RunningProgram } from './launcher.js';
import { ProcessGroup } from './signal-group.js';
import { asSystemError, closedError, refusalOf, systemError } from './system-error.js';

/** See `Launcher`. */
export class NodeLauncher implements Launcher {
  #closed = false;

  launch(command: Command, handler: LaunchHandler): void {
    const refusal = this.#closed ? closedError() : (refusalOf(command) ?? refusalOfText(command.file));
    if (refusal !== undefined) {
      handler.onStartFailed(refusal);
      return;
    }
    let child: ChildProcess;
    try {
      child = spawnProgram(command);
    } catch (error) {
      handler.onStartFailed(asSystemError(error));
      return;
    }
    const { pid, stdout, stderr, stdin } = child;
    if (pid === undefined || stdout === null || stderr === null) {
      // Node tells why in an event.
      child.once('error', (error) => handler.onStartFailed(asSystemError(error)));
      return;
    }
    const group = new ProcessGroup(pid);
    const program: RunningProgram = {
      pid,
      input: stdin ?? undefined,
      output: stdout,
      errors: stderr,
      kill: (signal) => group.signal(signal),
      hasGroup: () => group.exists(),
    };
    child.once('exit', (code, signal) => {
      if (!group.exists()) group.markGone();
      handler.onExit(code ?? undefined, signal ?? undefined);
    });
    handler.onStart(program);
  }

  close(): void {
    this.#closed = true;
  }
}

function spawnProgram({ file, args, env, folder, hasInput }: Command): ChildProcess {
  return spawn(nodeText(file), args.map(nodeText), {
    cwd: nodeText(folder),
    env: recordOf(env),
    // A session of its own, and so a process group that can be ended as a whole.
    detached: true,
    stdio: [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
}

/**
 * libuv calls execvp, which has /bin/sh run what the system does not take for executable. No web server does, and a
 * picture with the wrong permissions should not become a script: a text without #! is refused as the system would.
 */
function refusalOfText(file: string): NodeJS.ErrnoException | undefined {
  const path = Buffer.from(file, 'latin1');
  const start = Buffer.alloc(256);
  let length = 0;
  try {
    accessSync(path, files.X_OK);
    const descriptor = openSync(path, files.O_RDONLY | files.O_NONBLOCK);
    try {
      length = readSync(descriptor, start);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined; // Not there, not executable, or that without being readable: the system will say.
  }
  const isText = !start.subarray(0, length).includes(0) && start.toString('latin1', 0, 2) !== '#!';
  return isText ? systemError(constants.errno.ENOEXEC, 'spawn') : undefined;
}

/** Node takes texts and writes them as UTF-8: octets that are not UTF-8 cannot be had this way. */
function nodeText(octets: string): string {
  return Buffer.from(octets, 'latin1').toString();
}

function recordOf(env: readonly string[]): NodeJS.ProcessEnv {
  const record: NodeJS.ProcessEnv = {};
  for (let index = 0; index < env.length; index += 2) record[env[index] ?? ''] = nodeText(env[index + 1] ?? '');
  return record;
}
