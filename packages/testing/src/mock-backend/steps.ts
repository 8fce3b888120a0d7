// The script of a mock backend, as plain data: what it does with one connection, step by step. Nothing here acts;
// play.ts does what the steps say.

/** Bytes; text is latin1. */
export type ScriptBytes = Uint8Array | string;

/** How an answer breaks off. */
export type Break = 'stall' | 'reset' | 'end';

/** One step. Made by the functions below. */
export type Step =
  | { readonly do: 'receive'; readonly until: 'head' | 'all' }
  | { readonly do: 'receiveBody'; readonly bytes: number }
  | { readonly do: 'readSlowly'; readonly bytes: number; readonly everyMs: number }
  | { readonly do: 'send'; readonly bytes: Uint8Array; readonly times: number }
  | { readonly do: 'drip'; readonly bytes: Uint8Array; readonly everyMs: number; readonly atATime: number }
  | { readonly do: 'breakAt'; readonly bytes: number; readonly by: Break }
  | { readonly do: 'gate'; readonly name: string }
  | { readonly do: 'stall' | 'stallDeaf' | 'reset' | 'end' | 'close' | 'exit' };

/** Steps in their order. */
export type Script = Step | readonly Script[];

/** An answer by its parts. */
export interface AnswerParts {
  /** Default 200. */
  readonly status?: number | undefined;
  /** Default: none, only the number. */
  readonly reason?: string | undefined;
  /** By name, or flat: name, value, name, value … Default none. */
  readonly fields?: Readonly<Record<string, string>> | readonly string[] | undefined;
  /** Default empty. */
  readonly body?: ScriptBytes | undefined;
  /** What Content-Length says. `null`: the field is left out. Default: the length of the body. */
  readonly contentLength?: number | null | undefined;
  /** Added to what Content-Length says: more than 0 promises bytes that never come, less than 0 sends more than promised. Default 0. */
  readonly lieAboutLength?: number | undefined;
}

/** Reads up to the end of the request head, and no further. */
export function receiveHead(): Step {
  return { do: 'receive', until: 'head' };
}

/** Reads the head and at least so many bytes of the body, and no further. */
export function receiveBody(bytes: number): Step {
  return { do: 'receiveBody', bytes };
}

/** Reads the whole request; from then on the script hears of the client's leaving. */
export function receive(): Step {
  return { do: 'receive', until: 'all' };
}

/** Reads the whole request, so many bytes at a time. Default: 1,024 bytes every 10 ms. */
export function readSlowly(options: { readonly bytes?: number; readonly everyMs?: number } = {}): Step {
  return { do: 'readSlowly', bytes: options.bytes ?? 1024, everyMs: options.everyMs ?? 10 };
}

/** Reads the whole request, answers it, and ends: what a well-behaved backend does. */
export function answer(parts: AnswerParts = {}): Script {
  return [receive(), send(answerBytes(parts)), end()];
}

/** Sends these bytes as they are, and waits until the kernel has them. */
export function send(...pieces: readonly ScriptBytes[]): Step {
  return { do: 'send', bytes: Buffer.concat(pieces.map(toBytes)), times: 1 };
}

/** Sends the same bytes again and again, each time when the kernel has taken those before. */
export function sendRepeatedly(bytes: ScriptBytes, times: number): Step {
  return { do: 'send', bytes: toBytes(bytes), times };
}

/** Sends the bytes `atATime`, one by default, with a pause after each. */
export function drip(bytes: ScriptBytes, everyMs: number, atATime: number = 1): Step {
  return { do: 'drip', bytes: toBytes(bytes), everyMs, atATime };
}

/** From here on: once `bytes` bytes have been sent on this connection, silence. */
export function stallAt(bytes: number): Step {
  return { do: 'breakAt', bytes, by: 'stall' };
}

/** From here on: once `bytes` bytes have been sent on this connection, a reset. */
export function resetAt(bytes: number): Step {
  return { do: 'breakAt', bytes, by: 'reset' };
}

/** From here on: once `bytes` bytes have been sent on this connection, the end. */
export function endAt(bytes: number): Step {
  return { do: 'breakAt', bytes, by: 'end' };
}

/** Waits until the test opens the gate of this name. One that is open stays open. */
export function gate(name: string): Step {
  return { do: 'gate', name };
}

/** Says nothing more, but reads on, until the client leaves. */
export function stall(): Step {
  return { do: 'stall' };
}

/** Says nothing more and reads nothing more, like a process that is stopped, until the mock is closed. */
export function stallDeaf(): Step {
  return { do: 'stallDeaf' };
}

/**
 * Resets the connection. A Unix socket has no reset of its own: its peer sees one if something it has sent was not read,
 * so put this before the request is received.
 */
export function reset(): Step {
  return { do: 'reset' };
}

/** Sends FIN, and reads on until the client has closed too. */
export function end(): Step {
  return { do: 'end' };
}

/** Closes both directions at once, as a process that does not care; with unread bytes the client sees a reset. */
export function close(): Step {
  return { do: 'close' };
}

/** Accepts, and closes without having read a byte. */
export function closeBeforeReading(): Step {
  return close();
}

/** The whole backend dies: all its connections, and its listener. The file of its Unix socket stays behind. */
export function exit(): Step {
  return { do: 'exit' };
}

/** The whole backend dies once it has read so many bytes of the body. */
export function exitAfter(bodyBytes: number): Script {
  return [receiveBody(bodyBytes), exit()];
}

/** The bytes of an answer, for `send` and `drip`, and to count in. */
export function answerBytes(parts: AnswerParts = {}): Buffer {
  const { status = 200, reason, fields = [], body = '', contentLength, lieAboutLength = 0 } = parts;
  const bytes = toBytes(body);
  const lines = [`Status: ${reason === undefined ? status : `${status} ${reason}`}`];
  const flat = isList(fields) ? fields : Object.entries(fields).flat();
  for (let index = 0; index < flat.length; index += 2) lines.push(`${flat[index]}: ${flat[index + 1] ?? ''}`);
  if (contentLength !== null) lines.push(`Content-Length: ${(contentLength ?? bytes.length) + lieAboutLength}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** The steps one after the other, out of their lists. */
export function flattenScript(script: Script): readonly Step[] {
  return isList(script) ? script.flatMap(flattenScript) : [script];
}

function toBytes(piece: ScriptBytes): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
}

function isList<Item>(value: readonly Item[] | object): value is readonly Item[] {
  return Array.isArray(value);
}
