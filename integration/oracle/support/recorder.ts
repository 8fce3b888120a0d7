// The log a behaviour writes: what was returned, thrown and emitted, in order.
// Two worlds are equal when their logs are. Knows nothing of sockets or of either wire.
import type { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { deadlineMs, within } from './deadline.js';

/** What a behaviour observed, line by line, and the means to wait for a line. */
export class Recorder {
  readonly lines: string[] = [];
  readonly #waiting: { readonly line: string; readonly resolve: () => void }[] = [];
  readonly #pending = new Map<string, Promise<void>>();

  /** Notes one line. */
  note(line: string): void {
    this.lines.push(line);
    for (const waiter of this.#waiting) if (waiter.line === line) waiter.resolve();
  }

  /** Notes a name and a value, in a form that shows types: `headersSent: false`. */
  value(name: string, value: unknown): void {
    this.note(`${name}: ${show(value)}`);
  }

  /** Runs `action` and notes what it returned or threw. Returns what it returned. */
  attempt(name: string, action: () => unknown): unknown {
    try {
      const result = action();
      this.value(name, result);
      return result;
    } catch (error) {
      this.note(`${name} threw ${show(error)}`);
      return undefined;
    }
  }

  /** Notes the listed events of `emitter`, with the error or value that came along. */
  watch(emitter: EventEmitter, label: string, ...events: readonly string[]): void {
    for (const event of events) {
      emitter.on(event, (...args: unknown[]) => {
        const first = args[0];
        const detail = first instanceof Error || typeof first === 'boolean' ? ` ${show(first)}` : '';
        this.note(`${label} ${event}${detail}`);
      });
    }
  }

  /**
   * A callback that notes its call and its error argument.
   * The observation is not over before it was called; a callback that never comes is noted as such.
   */
  callback(name: string): (error?: unknown) => void {
    let called = (): void => {};
    this.#pending.set(name, new Promise((resolve) => (called = resolve)));
    return (error) => {
      this.note(error === undefined || error === null ? `${name} called` : `${name} called with ${show(error)}`);
      called();
    };
  }

  /** Resolves once `line` has been noted: how the two ends of a behaviour wait for each other. */
  async until(line: string): Promise<void> {
    if (this.lines.includes(line)) return;
    await within(new Promise<void>((resolve) => this.#waiting.push({ line, resolve })), `the line "${line}"`);
  }

  /** Waits for every callback handed out; notes those that were not called within `ms` milliseconds. */
  async settled(ms: number = deadlineMs): Promise<void> {
    const late = [...this.#pending].map(([name, called]) =>
      within(called, name, ms).catch(() => this.note(`${name} was never called`)),
    );
    await Promise.all(late);
  }
}

/** A value in words: errors as name, code and message; bytes as their length; the rest as `util.inspect` shows it. */
export function show(value: unknown): string {
  if (value instanceof Error) {
    const code: unknown = Reflect.get(value, 'code');
    return typeof code === 'string' ? `${value.name} ${code}: ${value.message}` : `${value.name}: ${value.message}`;
  }
  if (value instanceof Uint8Array) return `<${value.byteLength} bytes>`;
  if (typeof value === 'object' && value !== null && !isPlain(value)) return `<${value.constructor.name}>`;
  return inspect(value, { breakLength: Infinity, depth: 3, maxStringLength: 200 });
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Array.isArray(value);
}
