import { element, show } from './show.js';

const form = document.getElementById('notes-form');
const list = document.getElementById('notes-list');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = new FormData(form).get('text');
  const note = await call('POST', 'api/notes', { text });
  if (note !== undefined) form.reset();
  await refresh();
});

await refresh();

async function refresh() {
  const response = await fetch('api/notes');
  if (!response.ok) return;
  const { notes } = await response.json();
  list.replaceChildren(...notes.map(item));
}

/** @param {{ id: string, text: string }} note */
function item(note) {
  const button = element('button', 'Delete');
  button.type = 'button';
  button.className = 'quiet small';
  button.setAttribute('aria-label', `Delete “${note.text}”`);
  button.addEventListener('click', async () => {
    await call('DELETE', `api/notes/${note.id}`);
    await refresh();
    document.getElementById('notes-text').focus(); // the button with the focus is gone
  });
  const line = document.createElement('li');
  line.append(element('span', note.text), button);
  return line;
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body]
 */
async function call(method, path, body) {
  try {
    const init = {
      method,
      headers: { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    };
    const response = await fetch(path, init);
    const answer = response.status === 204 ? {} : await response.json();
    const summary = `${method} ${path.replace(/[^/]{20,}$/, '…')}: ${response.status}`;
    if (response.ok) show('notes-result', 'good', summary);
    else show('notes-result', 'bad', `${summary}. ${answer.error.message}`);
    return response.ok ? answer : undefined;
  } catch {
    show('notes-result', 'bad', 'The server did not answer');
  }
}
