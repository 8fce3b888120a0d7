// Starts programs with Node's own `child_process`: works everywhere, but each start is a fork of the whole Node.js
// process, which copies its page tables: more than a millisecond in which nothing else happens.

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Command, Launcher, LaunchHandler, RunningProgram } from './launcher.js';
import { groupExists, signalGroup } from './signal-group.js';

/** See `Launcher`. */
export class NodeLauncher implements Launcher {
  launch(command: Command, handler: LaunchHandler): void {
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
    const program: RunningProgram = {
      pid,
      input: stdin ?? undefined,
      output: stdout,
      errors: stderr,
      kill: (signal) => signalGroup(pid, signal),
      hasGroup: () => groupExists(pid),
    };
    child.once('exit', (code, signal) => handler.onExit(code ?? undefined, signal ?? undefined));
    handler.onStart(program);
  }

  close(): void {}
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

/** Node takes texts and writes them as UTF-8: octets that are not UTF-8 cannot be had this way. */
function nodeText(octets: string): string {
  return Buffer.from(octets, 'latin1').toString();
}

function recordOf(env: readonly string[]): NodeJS.ProcessEnv {
  const record: NodeJS.ProcessEnv = {};
  for (let index = 0; index < env.length; index += 2) record[env[index] ?? ''] = nodeText(env[index + 1] ?? '');
  return record;
}

function asSystemError(error: unknown): NodeJS.ErrnoException {
  return error instanceof Error ? error : new Error(String(error));
}
