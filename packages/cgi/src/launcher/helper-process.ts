// One process of launcher.py or launcher.pl: its orders and reports, the pipes that it has ready, the programs that it has started.
// Knows nothing of what comes after it.

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import type { DeferredPipe } from './deferred-pipe.js';
import type { HelperCommand } from './find-helper.js';
import type { HelperPipe } from './frames.js';
import { encodeOrder, endingOf, ReportReader, reports } from './frames.js';
import type { Command, LaunchHandler } from './launcher.js';
import { closeEnds, openEnds, type PipeEnds, toStreams } from './pipe-ends.js';
import { ProcessGroup } from './signal-group.js';
import { asSystemError, systemError } from './system-error.js';

/** A helper that owes reports and is silent for so long has stopped. 500 starts at once take a second. */
const SILENCE_MS = 10_000;

/** That there is no room for another descriptor is no fault of the helper. */
const exhausted: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** What a launcher was asked for. */
export interface Launch {
  readonly command: Command;
  readonly handler: LaunchHandler;
}

/** A program from its order to its end. */
interface Flight {
  readonly launch: Launch;
  /** Until it is known to run. */
  ends: PipeEnds | undefined;
  /** From then on. */
  group: ProcessGroup | undefined;
  /** What it writes to. */
  outputs: readonly DeferredPipe[];
}

export class HelperProcess {
  readonly #child: ChildProcess;
  readonly #onEnd: (unsent: readonly Launch[], wasReady: boolean) => void;
  readonly #pipes: HelperPipe[];
  readonly #queue: Launch[];
  readonly #flights: Map<number, Flight>;
  #nextNumber: number;
  #isReady: boolean;
  #isClosing: boolean;
  #hasEnded: boolean;
  #heard: boolean;
  #watch: NodeJS.Timeout | undefined;

  /**
   * @param onEnd called once, when the process has gone, with what it was never told to start, and whether it ever could
   * @throws {Error} of the system, where it does not even come to an attempt
   */
  constructor({ file, args }: HelperCommand, onEnd: (unsent: readonly Launch[], wasReady: boolean) => void) {
    this.#child = spawn(file, args, {
      cwd: '/',
      env: {},
      // A session of its own: Ctrl-C at a terminal is for the server, which ends its programs as it sees fit.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#onEnd = onEnd;
    this.#pipes = [];
    this.#queue = [];
    this.#flights = new Map();
    this.#nextNumber = 0;
    this.#isReady = false;
    this.#isClosing = false;
    this.#hasEnded = false;
    this.#heard = false;
    this.#watch = undefined;
    const reader = new ReportReader((kind, first, second) => this.#onReport(kind, first, second));
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#onReports(reader, chunk));
    this.#child.stdout?.on('error', ignore);
    // EPIPE: it has gone, which is heard of below.
    this.#child.stdin?.on('error', ignore);
    this.#child.on('error', () => this.#end());
    // Not 'exit': what it has reported last may still have to be read then.
    this.#child.once('close', () => this.#end());
    this.#child.unref();
    if (this.#child.stdin instanceof Socket) this.#child.stdin.unref();
    this.#rest();
  }

  /** Neither after `close` nor after its end. */
  launch(launch: Launch): void {
    if (!this.#isBusy) this.#wake();
    this.#queue.push(launch);
    this.#sendOrders();
  }

  /** It goes when the last program has ended. */
  close(): void {
    this.#isClosing = true;
    if (!this.#isBusy) this.#rest();
  }

  get #isBusy(): boolean {
    return this.#queue.length > 0 || this.#flights.size > 0;
  }

  /** While there is something to hear of, the event loop goes on. */
  #wake(): void {
    if (this.#child.stdout instanceof Socket) this.#child.stdout.ref();
    this.#heard = true;
    this.#watch ??= setTimeout(() => this.#check(), SILENCE_MS).unref();
  }

  #rest(): void {
    if (this.#child.stdout instanceof Socket) this.#child.stdout.unref();
    if (this.#isClosing) this.#child.stdin?.end();
  }

  #check(): void {
    this.#watch = undefined;
    if (!this.#owesReports()) return;
    if (!this.#heard) this.#child.kill('SIGKILL');
    this.#heard = false;
    this.#watch = setTimeout(() => this.#check(), SILENCE_MS).unref();
  }

  #owesReports(): boolean {
    return this.#queue.length > 0 || [...this.#flights.values()].some(({ group }) => group === undefined);
  }

  #sendOrders(): void {
    for (let launch = this.#queue[0]; launch !== undefined && !this.#hasEnded; launch = this.#queue[0]) {
      if (this.#pipes.length < (launch.command.hasInput ? 3 : 2) || !this.#sendOrder(launch)) return;
    }
  }

  /** Takes the first of the queue, or leaves it there for the next helper and returns false. */
  #sendOrder(launch: Launch): boolean {
    const { command, handler } = launch;
    const pipes = this.#pipes.slice(command.hasInput ? -3 : -2);
    let ends: PipeEnds;
    try {
      // Its process number is not given to another process before Node.js has waited for it and told of it.
      ends = openEnds(`/proc/${this.#child.pid}/fd`, pipes, command.hasInput);
    } catch (error) {
      return this.#onNoEnds(asSystemError(error), handler);
    }
    this.#queue.shift();
    this.#pipes.length -= pipes.length;
    const number = this.#nextNumber++ % 2 ** 32;
    this.#flights.set(number, { launch, ends, group: undefined, outputs: [] });
    this.#child.stdin?.write(encodeOrder(number, command, pipes));
    return true;
  }

  #onNoEnds(error: NodeJS.ErrnoException, handler: LaunchHandler): boolean {
    if (exhausted.has(error.code)) {
      this.#queue.shift();
      handler.onStartFailed(error);
      return true;
    }
    // No /proc, no right to look there, or it is just dying.
    this.#child.kill('SIGKILL');
    return false;
  }

  #onReports(reader: ReportReader, chunk: Buffer): void {
    this.#heard = true;
    reader.receive(chunk);
    this.#sendOrders();
    if (!this.#isBusy) this.#rest();
  }

  #onReport(kind: number, first: number, second: number): void {
    if (kind === reports.pipe) {
      this.#isReady = true;
      this.#pipes.push({ read: first, write: second });
      return;
    }
    const flight = this.#flights.get(first);
    if (flight === undefined) return;
    if (kind === reports.started) {
      onStarted(flight, second);
      return;
    }
    this.#flights.delete(first);
    if (kind === reports.failed) onFailed(flight, systemError(second, 'exec'));
    else onExited(flight, second);
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#watch);
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    for (const flight of this.#flights.values()) onLost(flight);
    this.#flights.clear();
    this.#onEnd(this.#queue, this.#isReady);
  }
}

function onStarted(flight: Flight, pid: number): void {
  const { ends, launch } = flight;
  if (ends === undefined) return;
  const group = new ProcessGroup(pid);
  const streams = toStreams(ends);
  flight.ends = undefined;
  flight.group = group;
  flight.outputs = [streams.errors, streams.output];
  launch.handler.onStart({
    pid,
    ...streams,
    kill: (signal) => group.signal(signal),
    hasGroup: () => group.exists(),
  });
}

function onFailed({ ends, launch }: Flight, error: NodeJS.ErrnoException): void {
  if (ends !== undefined) closeEnds(ends);
  launch.handler.onStartFailed(error);
}

function onExited({ launch, group, outputs }: Flight, fact: number): void {
  const { code, signal, groupLives } = endingOf(fact);
  if (!groupLives) group?.markGone();
  for (const output of outputs) output.readRest();
  launch.handler.onExit(code, signal);
}

/** The helper has gone before it could say more. What runs goes on, and can be read, written and signalled as before. */
function onLost(flight: Flight): void {
  // Perhaps it runs, perhaps not: to start it again might do twice what must be done once.
  if (flight.group === undefined) onFailed(flight, systemError(constants.errno.EPIPE, 'launch'));
  else flight.launch.handler.onExit(undefined, undefined);
}

function ignore(): void {}
