// Starts support/app.js as a child process and reads its memory and its descriptors from outside, through /proc.

import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ScgiServerOptions } from '@scgi/core';
import { onTestFinished } from 'vitest';
import { within } from '../../support/deadline.js';
import { openDescriptors } from '../../support/leaks.js';

const startDeadlineMs = 15_000;
const answerDeadlineMs = 15_000;

export interface ServerProcessSettings {
  /** Options of serveScgi that survive JSON. */
  readonly options?: ScgiServerOptions;
  /** Arguments of node, e.g. to limit its memory. */
  readonly nodeArguments?: readonly string[];
  /** Most open descriptors (`ulimit -n`). */
  readonly maxDescriptors?: number;
}

/** What the process tells about itself. */
export interface Facts {
  readonly requests: number;
  /** Requests whose response did not get out whole. */
  readonly aborted: number;
  /** Open connections, as the server counts them. */
  readonly connections: number;
  /** Rejections and exceptions that nothing handled. */
  readonly unhandled: readonly string[];
}

export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  facts(): Promise<Facts>;
  descriptors(): string[];
  /** Memory in bytes: what it holds now, or the most it ever held. */
  memory(which: 'VmRSS' | 'VmHWM'): number;
}

/** Starts the server; killed when the test ends. */
export async function startServerProcess(settings: ServerProcessSettings = {}): Promise<ServerProcess> {
  const app = fileURLToPath(new URL('app.js', import.meta.url));
  const node = [process.execPath, ...(settings.nodeArguments ?? []), app];
  const limited = ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(settings.maxDescriptors), ...node];
  const [program = '', ...args] = settings.maxDescriptors === undefined ? node : limited;
  const child = spawn(program, args, {
    env: { ...process.env, SETTINGS: JSON.stringify(settings.options ?? {}) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let complaint = '';
  child.stderr?.on('data', (chunk) => (complaint += chunk));
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the server ended (${code ?? signal}): ${complaint}`)));
  });
  failed.catch(() => {}); // It ends with the test.
  const ready = await within(
    Promise.race([nextMessage(child, () => true), failed]),
    startDeadlineMs,
    'the server listening',
  );
  const { pid = 0 } = child;
  let questions = 0;
  return {
    port: Number(Reflect.get(ready, 'ready')),
    pid,
    async facts() {
      const question = (questions += 1);
      const answer = nextMessage(child, (message) => Reflect.get(message, 'question') === question);
      child.send(question);
      return toFacts(await within(Promise.race([answer, failed]), answerDeadlineMs, 'the facts of the server'));
    },
    descriptors: () => openDescriptors(pid),
    memory: (which) => memoryOf(pid, which),
  };
}

function nextMessage(child: ChildProcess, isWanted: (message: object) => boolean): Promise<object> {
  return new Promise((resolve) => {
    const look = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !isWanted(message)) return;
      child.off('message', look);
      resolve(message);
    };
    child.setMaxListeners(0).on('message', look);
  });
}

function toFacts(answer: Partial<Facts>): Facts {
  const { requests = NaN, aborted = NaN, connections = NaN, unhandled = ['no answer'] } = answer;
  return { requests, aborted, connections, unhandled };
}

function memoryOf(pid: number, which: string): number {
  const [, kilobytes] =
    new RegExp(`^${which}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
