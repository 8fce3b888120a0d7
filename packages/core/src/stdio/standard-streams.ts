// The standard input and output of a CGI program: where its body comes from and its answer goes to. Opens them so that
// nothing blocks, and takes descriptor 1 out of everybody else's reach, for what is printed there would be in the answer.

import { closeSync, createReadStream, createWriteStream, fstatSync, openSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { LocalProtocolError } from '../protocol/index.js';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

export interface StandardStreams {
  /** Paused. Undefined where there is no body: then the input is left alone. */
  readonly input: Readable | undefined;
  readonly output: Writable;
}

/**
 * Opens both. From now on what the process prints goes to its standard error.
 * @throws {LocalProtocolError} ERR_SCGI_STATE in the unlikely case that the output could not be put out of reach safely
 */
export function openStandardStreams(hasBody: boolean): StandardStreams {
  const streams = openStreams(hasBody);
  // console.log, and whatever else comes this way, also where descriptor 1 could not be had.
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return streams;
}

function openStreams(hasBody: boolean): StandardStreams {
  const stdin = fstatSync(STDIN);
  const stdout = fstatSync(STDOUT);
  // Apache's mod_cgid passes one socket as both.
  if (stdout.isSocket() && stdin.dev === stdout.dev && stdin.ino === stdout.ino) {
    const socket = new Socket({ fd: STDIN, readable: hasBody, writable: true, allowHalfOpen: true });
    hideOutput();
    return { input: hasBody ? socket.pause() : undefined, output: socket };
  }
  return { input: hasBody ? openInput(stdin) : undefined, output: openOutput(stdout) };
}

function openInput(stdin: Stats): Readable {
  if (isStream(stdin)) return new Socket({ fd: STDIN, readable: true, writable: false }).pause();
  if (isatty(STDIN)) return new ReadStream(STDIN).pause();
  // lighttpd passes a file. Read on from where it stands.
  return createReadStream('', { fd: STDIN, autoClose: false }).pause();
}

function openOutput(stdout: Stats): Writable {
  if (!isStream(stdout)) return createWriteStream('', { fd: STDOUT, autoClose: false });
  const fd = stdout.isFIFO() ? openAgain(STDOUT, 'w') : undefined;
  if (fd === undefined) return new Socket({ fd: STDOUT, readable: false, writable: true });
  hideOutput();
  return new Socket({ fd, readable: false, writable: true });
}

function isStream(file: Stats): boolean {
  return file.isFIFO() || file.isSocket();
}

/**
 * Makes descriptor 1 another one for the standard error: there are loggers (pino, and so Fastify's) and child processes that
 * write to the number.
 */
function hideOutput(): void {
  closeSync(STDOUT);
  // The lowest number that is free.
  const fd = openAgain(STDERR, 'a') ?? openSync('/dev/null', 'a');
  if (fd === STDOUT) return;
  // A thread has opened a file in between, and whoever prints would write into it. The web server answers for us.
  throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'descriptor 1 was taken while the program started' });
}

/** A second descriptor for the same pipe or file; undefined where the system has no such thing, or does not let us. */
function openAgain(fd: number, flags: 'w' | 'a'): number | undefined {
  try {
    return openSync(`/dev/fd/${fd}`, flags);
  } catch {
    // ENXIO: a socket. EACCES: a log file of root's, or a pipe of another user's. ENOENT: not Unix.
    return undefined;
  }
}
