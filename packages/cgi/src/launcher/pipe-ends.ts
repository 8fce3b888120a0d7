// Our ends of the pipes that a helper has made for a program: found through /proc, opened as descriptors of our own, used
// as streams. Real pipes, as web servers give to programs: those can open /dev/stdin and /dev/stderr, which fails with
// the socket pairs of `child_process` (ENXIO).

import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { DeferredPipe } from './deferred-pipe.js';
import type { HelperPipe } from './frames.js';

/** Descriptors. */
export interface PipeEnds {
  readonly input: number | undefined;
  readonly output: number;
  readonly errors: number;
}

const READ = constants.O_RDONLY | constants.O_NONBLOCK;
const WRITE = constants.O_WRONLY | constants.O_NONBLOCK;

/**
 * Opens them, or none of them.
 * @param folder the descriptors of the helper, which has both ends of every pipe open
 * @param pipes the input's, if there is one, the output's and the errors'
 * @throws {Error} of the system
 */
export function openEnds(folder: string, pipes: readonly HelperPipe[], hasInput: boolean): PipeEnds {
  const opened: number[] = [];
  try {
    for (const { read, write } of pipes) {
      const isInput = hasInput && opened.length === 0;
      opened.push(openSync(`${folder}/${isInput ? write : read}`, isInput ? WRITE : READ));
    }
  } catch (error) {
    for (const descriptor of opened) closeSync(descriptor);
    throw error;
  }
  const [output = -1, errors = -1] = opened.slice(hasInput ? 1 : 0);
  return { input: hasInput ? opened[0] : undefined, output, errors };
}

export function closeEnds({ input, output, errors }: PipeEnds): void {
  if (input !== undefined) closeSync(input);
  closeSync(output);
  closeSync(errors);
}

/** A program's streams. */
export interface PipeStreams {
  readonly input: Socket | undefined;
  readonly output: DeferredPipe;
  readonly errors: DeferredPipe;
}

/** The streams own the descriptors from now on. */
export function toStreams({ input, output, errors }: PipeEnds): PipeStreams {
  return {
    input: input === undefined ? undefined : new Socket({ fd: input, readable: false, writable: true }),
    output: new DeferredPipe(output),
    errors: new DeferredPipe(errors),
  };
}
