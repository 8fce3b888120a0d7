// One raw request to lighttpd, byte by byte as the test wants it, and what `mirror` or lighttpd itself answers.

import { rawExchange } from '../../support/http-client.js';
import type { Lighttpd } from '../../support/lighttpd.js';
import type { Mirrored } from './stage.js';

/** A response as it came, its body as latin1. */
export interface Answer {
  readonly status: number;
  /** From status line to the empty line. */
  readonly head: string;
  readonly text: string;
}

/** Sends a request line, a Host, further field lines and a body. Strings are latin1; the connection is closed after it. */
export async function answerTo(
  { port }: Pick<Lighttpd, 'port'>,
  line: string,
  fields: readonly string[] = [],
  body = '',
): Promise<Answer> {
  const host = fields.some((field) => /^host:/i.test(field)) ? [] : ['Host: a.example'];
  const head = [line, ...host, 'Connection: close', ...fields].join('\r\n');
  const bytes = await rawExchange(`127.0.0.1:${port}`, Buffer.from(`${head}\r\n\r\n${body}`, 'latin1'));
  const answer = bytes.toString('latin1').replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const end = answer.indexOf('\r\n\r\n');
  return {
    status: Number(answer.split(' ')[1]),
    head: answer.slice(0, end),
    text: answer.slice(end + 4),
  };
}

/** The same, for an application that is `mirror`. */
export async function ask(...request: Parameters<typeof answerTo>): Promise<Mirrored> {
  const { text } = await answerTo(...request);
  // JSON goes out as UTF-8, whatever the values were.
  return JSON.parse(Buffer.from(text, 'latin1').toString());
}
