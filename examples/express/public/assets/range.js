import { show, size } from './show.js';

const path = 'assets/scgi.txt';

document.getElementById('range-whole').addEventListener('click', async () => {
  performance.clearResourceTimings();
  const response = await fetch(path, { cache: 'no-store' });
  const text = await response.text();
  const timing = performance.getEntriesByType('resource').find((entry) => entry.name.endsWith(path));
  show('range-result', 'good', `${response.status} ${response.statusText}`, {
    'content-encoding': response.headers.get('content-encoding') ?? 'none',
    file: size(new Blob([text]).size),
    'on the way': timing ? size(timing.encodedBodySize) : 'unknown',
  });
});

document.getElementById('range-slice').addEventListener('click', async () => {
  const response = await fetch(path, { headers: { range: 'bytes=0-39' }, cache: 'no-store' });
  show('range-result', response.status === 206 ? 'good' : 'bad', `${response.status} ${response.statusText}`, {
    'content-range': response.headers.get('content-range') ?? 'none',
    bytes: JSON.stringify(await response.text()),
  });
});
