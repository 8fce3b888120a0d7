/**
 * A tagged template that escapes. Every value put into html`…` is text, unless it came out of html`…` itself,
 * so forgetting to escape is not possible; arrays are joined, and null, undefined and false print nothing.
 */
const replacements = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

class Markup {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/**
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values
 */
export function html(strings, ...values) {
  let text = strings[0];
  values.forEach((value, index) => {
    text += print(value) + strings[index + 1];
  });
  return new Markup(text);
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function print(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(print).join('');
  if (value === null || value === undefined || value === false) return '';
  return String(value).replace(/[&<>"']/g, (character) => replacements[character]);
}
