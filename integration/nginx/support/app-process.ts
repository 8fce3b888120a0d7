// An application in a process of its own, so that its memory and its descriptors can be counted and it can be killed.
// Talks to apps/child.js over Node's IPC channel.

import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from '../../support/deadline.js';

const startDeadlineMs = 10_000;
const answerDeadlineMs = 10_000;

/** What every application of apps/ can tell about itself. */
export interface ProcessFacts {
  readonly rssBytes: number;
  /** The most it ever was. */
  readonly peakRssBytes: number;
  /** Open connections, as its server counts them. */
  readonly connections: number;
  /** Rejections and exceptions that nothing handled. */
  readonly unhandled: readonly string[];
}

export interface AppProcess {
  /** As `scgi_pass` wants it. */
  readonly address: string;
  readonly pid: number;
  facts(): Promise<ProcessFacts>;
  /** Puts a question that the application's file defines. */
  ask(question: string, argument?: string | number): Promise<unknown>;
  /** SIGKILL: no clean-up of any kind. May be called again. */
  kill(): Promise<void>;
}

/** Starts a file of apps/ on `bind` and waits until it listens. Rejects with its error output if it does not. */
export async function startAppProcess(file: string, bind: string): Promise<AppProcess> {
  const path = fileURLToPath(new URL(`../apps/${file}`, import.meta.url));
  const child = fork(path, {
    env: { ...process.env, SCGI_BIND: bind },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk) => (complaint += chunk));
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const ready = nextMessage(child, (message) => ('ready' in message ? String(message.ready) : undefined));
  const failed = exited.then(() => Promise.reject(new Error(`${file} did not start: ${complaint}`)));
  failed.catch(() => {}); // It ends some day, after it has listened.
  const address = await within(Promise.race([ready, failed]), startDeadlineMs, `${file} listening`);
  let questions = 0;
  const ask = async (question: string, argument?: string | number): Promise<unknown> => {
    const id = ++questions;
    const answer = nextMessage(child, (message) => (message.id === id ? { value: message.answer } : undefined));
    child.send({ id, question, argument });
    return (await within(answer, answerDeadlineMs, `${file} answering "${question}"`)).value;
  };
  return {
    address,
    pid: child.pid ?? 0,
    facts: async () => toFacts(await ask('facts')),
    ask,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

interface Message {
  readonly ready?: unknown;
  readonly id?: unknown;
  readonly answer?: unknown;
}

function nextMessage<T>(child: ChildProcess, pick: (message: Message) => T | undefined): Promise<T> {
  return new Promise((resolve) => {
    const look = (message: unknown): void => {
      const picked = typeof message === 'object' && message !== null ? pick(message) : undefined;
      if (picked === undefined) return;
      child.off('message', look);
      resolve(picked);
    };
    child.on('message', look);
  });
}

function toFacts(answer: unknown): ProcessFacts {
  const facts: Partial<ProcessFacts> = typeof answer === 'object' && answer !== null ? answer : {};
  const { rssBytes = NaN, peakRssBytes = NaN, connections = NaN, unhandled = [] } = facts;
  return { rssBytes, peakRssBytes, connections, unhandled };
}
