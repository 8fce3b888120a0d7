// guestbook.pl in JavaScript, change for change: variables, standard input and standard output, whoever provides them.
import { STATUS_CODES } from 'node:http';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { addEntry } from './entries.js';
import { page } from './page.js';

export async function guestbook(environ, stdin, stdout) {
  const { REQUEST_METHOD, CONTENT_TYPE = '', CONTENT_LENGTH = '0', SCRIPT_NAME } = environ;
  const refuse = async (status) => {
    await finished(stdin.resume());
    const line = `${status} ${STATUS_CODES[status]}`;
    stdout.end(`Status: ${line}\nAllow: GET, HEAD, POST\nContent-Type: text/plain\n\n${line}\n`);
  };

  async function show() {
    stdout.end(`Content-Type: text/html; charset=utf-8\n\n${await page()}`);
  }

  async function sign() {
    if (Number(CONTENT_LENGTH) > 16_384) return refuse(413);
    if (!/^application\/x-www-form-urlencoded\b/i.test(CONTENT_TYPE)) return refuse(415);
    const body = await text(stdin);
    if (Buffer.byteLength(body) < Number(CONTENT_LENGTH)) throw new Error('the body is incomplete');
    const status = await addEntry(Object.fromEntries(new URLSearchParams(body)));
    if (status !== 303) return refuse(status);
    stdout.end(`Status: 303 See Other\nLocation: ${SCRIPT_NAME}\n\n`);
  }

  const answers = { GET: show, HEAD: show, POST: sign };
  await (answers[REQUEST_METHOD] ?? (() => refuse(405)))();
}
