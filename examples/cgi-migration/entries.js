// The file of entries, as guestbook.pl writes and reads it: a line each of date, name and message, tabs between.
import { appendFile, readFile, stat } from 'node:fs/promises';

const file = process.env.GUESTBOOK_FILE;
const malformed = /[\uD800-\uDFFF\uFFFD-\uFFFF]/u;

/** The last hundred, the newest first: `[date, name, message]` each. */
export async function readEntries() {
  const lines = (await orNothing(readFile(file, 'utf8')))?.split('\n') ?? [''];
  // Behind the last line end there is nothing, or half an entry that is being written.
  return lines
    .slice(0, -1)
    .slice(-100)
    .reverse()
    .map((line) => line.split('\t'));
}

/** Adds one of a form's fields. Returns the status for who asked: 303 if it was added. */
export async function addEntry(form) {
  const [name, message] = [clean(form.name), clean(form.message)];
  if (!/^.{1,50}$/u.test(name) || !/^.{1,1000}$/u.test(message) || malformed.test(name + message)) return 400;
  if ((await orNothing(stat(file)))?.size > 1_000_000) return 507;
  const date = new Date().toISOString().slice(0, 10);
  // One write at the end of the file: others, also guestbook.pl, may write at the same time.
  await appendFile(file, `${date}\t${name}\t${message}\n`);
  return 303;
}

/** Without line ends and tabs. Of a field that was sent twice the last one counts. */
function clean(field) {
  const text = [field ?? ''].flat().at(-1);
  return text.replaceAll(/[\p{Cc}\p{Z}]+/gu, ' ').replaceAll(/^ | $/g, '');
}

/** There is no file before the first entry. */
const orNothing = (promise) => promise.catch((error) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));
