import { show } from './show.js';

for (const button of document.querySelectorAll('#errors [data-path]')) {
  button.addEventListener('click', () => provoke(button.dataset.path));
}

/** @param {string} path */
async function provoke(path) {
  show('errors-result', 'busy', 'Waiting…');
  let received = '';
  try {
    const response = await fetch(path, { headers: { accept: 'application/json' } });
    const chunks = response.body.pipeThrough(new TextDecoderStream());
    for (const reader = chunks.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      received += value;
    }
    show('errors-result', 'good', `Answered ${response.status}, with no word about the cause`, {
      body: received,
    });
  } catch {
    // fetch rejects when the connection ends before the response does: just what this route promises
    show('errors-result', 'good', 'The browser saw a broken response, not a short one', {
      received: received || 'nothing',
    });
  }
}
