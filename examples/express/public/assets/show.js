/** Fills an <output>. Text only: whatever came from the network is never read as HTML. */

/**
 * @param {string} id
 * @param {'good' | 'bad' | 'busy'} state
 * @param {string} summary
 * @param {Record<string, unknown>} [details]
 */
export function show(id, state, summary, details = {}) {
  const output = document.getElementById(id);
  output.dataset.state = state;
  const list = document.createElement('dl');
  for (const [name, value] of Object.entries(details)) {
    list.append(element('dt', name), element('dd', String(value)));
  }
  output.replaceChildren(element('p', summary), ...(list.children.length > 0 ? [list] : []));
}

/**
 * @param {string} tag
 * @param {string} text
 */
export function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB'];
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}
