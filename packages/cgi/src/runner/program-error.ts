// What the failures of a program mean to the client and to the log.

import { existsSync, openSync, readSync, closeSync } from 'node:fs';
import { BackendError } from '@scgi/core/protocol';
import type { Command } from '../launcher/launcher.js';
import { toFilePath } from '../octets.js';

/** The system has no room for another process: that passes. */
const exhausted: ReadonlySet<string> = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE']);

/**
 * A program that could not be started.
 * @param command what was to be run: the program, or its interpreter
 * @param program its file
 * @param cause the system's error
 */
export function startError(
  { file }: Pick<Command, 'file'>,
  program: string,
  cause: NodeJS.ErrnoException,
): BackendError {
  const { code = '' } = cause;
  const details = { file: program.slice(-200), system: code };
  if (exhausted.has(code)) return new BackendError('ERR_SCGI_BACKEND_BUSY', details, { cause });
  if (code === 'EACCES' || code === 'EPERM') {
    const remedy =
      'make it executable (chmod +x) for the user of this process, or name an interpreter for its extension';
    return new BackendError('ERR_SCGI_PROGRAM_FORBIDDEN', { ...details, remedy }, { cause });
  }
  if (!existsSync(toFilePath(program))) return new BackendError('ERR_SCGI_PROGRAM_NOT_FOUND', details, { cause });
  const explanation =
    file === program || existsSync(toFilePath(file))
      ? explain(file, code)
      : { problem: 'its interpreter is missing', interpreter: file.slice(-200) };
  return new BackendError('ERR_SCGI_PROGRAM_START', { ...details, ...explanation }, { cause });
}

/** The system says the same words of a missing interpreter as of a missing program. */
function explain(file: string, code: string): { readonly problem?: string; readonly interpreter?: string } {
  const line = firstLine(file);
  if (code === 'ENOEXEC') return { problem: line?.startsWith('#!') ? 'not executable code' : 'no #! line' };
  if (code !== 'ENOENT' || line === undefined) return {};
  if (line.endsWith('\r')) return { problem: 'its #! line ends with CR LF', interpreter: line.slice(2, -1).trim() };
  return line.startsWith('#!')
    ? { problem: 'the interpreter of its #! line is missing', interpreter: line.slice(2).trim() }
    : { problem: 'its loader is missing: it was made for another system' };
}

/** At most 128 octets of it; undefined for a file that cannot be read. */
function firstLine(file: string): string | undefined {
  const start = Buffer.alloc(128);
  try {
    const descriptor = openSync(toFilePath(file), 'r');
    try {
      const length = readSync(descriptor, start);
      return start.toString('latin1', 0, length).split('\n', 1)[0];
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined; // The message has one fact less.
  }
}
