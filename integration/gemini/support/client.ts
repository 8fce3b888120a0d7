// Two Gemini clients: Python's TLS, which tells how a connection ended, and Node's, for many requests at once.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { within } from '../../support/deadline.js';
import { requireFrontEnd } from '../../support/front-ends.js';
import type { Identity } from './certificates.js';

export interface GeminiAnswer {
  readonly header: string;
  /** Whether the response was whole: `close_notify`, or `truncated`. */
  readonly ending: string;
  /** Bytes of body. */
  readonly length: number;
  /** SHA-256 of the body. */
  readonly digest: string;
  /** The body, if it is short. */
  readonly text: string;
}

const script = fileURLToPath(new URL('client.py', import.meta.url));
const run = promisify(execFile);

/** Asks with Python. */
export async function askGemini(port: number, url: string, identity?: Identity): Promise<GeminiAnswer> {
  const files = identity === undefined ? [] : [identity.cert, identity.key];
  const { stdout } = await run(requireFrontEnd('python'), [script, String(port), url, ...files], { timeout: 20_000 });
  return toAnswer(JSON.parse(stdout));
}

function toAnswer(parsed: unknown): GeminiAnswer {
  const get = (name: string): unknown => Reflect.get(Object(parsed), name);
  return {
    header: String(get('header')),
    ending: String(get('ending')),
    length: Number(get('length')),
    digest: String(get('digest')),
    text: String(get('text')),
  };
}

/** Asks with Node; resolves with all that comes. */
export async function askQuickly(port: number, url: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  const chunks: Buffer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject).once('close', () => resolve());
  });
  socket.write(`${url}\r\n`);
  await within(ended, 20_000, `the answer to ${url}`);
  return Buffer.concat(chunks).toString('utf8');
}
