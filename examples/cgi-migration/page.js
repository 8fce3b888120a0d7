// The page that guestbook.pl shows, of the same template.
import { readFileSync } from 'node:fs';
import { readEntries } from './entries.js';

const template = readFileSync(new URL('page.html', import.meta.url), 'utf8');
const entities = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escape = (text) => text.replaceAll(/[&<>]/g, (character) => entities[character]);

export async function page() {
  const entries = (await readEntries()).map((fields) => fields.map(escape));
  const items = entries.map(([date, name, message]) => `<dt>${name}, ${date}</dt><dd>${message}</dd>\n`);
  return template.replace(/ *<!-- entries -->\n/, () => items.join(''));
}
