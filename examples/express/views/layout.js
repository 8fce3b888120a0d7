/** What every page has around its content. */
import { html } from './html.js';

/**
 * @param {{ title: string, root: string, content: unknown, script?: boolean }} parts
 *   `root` leads from the page's address to the application's root, e.g. './'.
 */
export function layout({ title, root, content, script = false }) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="${root}assets/icon.svg" type="image/svg+xml" />
        ${['base', 'hero', 'request', 'controls', 'panels'].map(
          (name) => html`<link rel="stylesheet" href="${root}assets/${name}.css" />`,
        )}
        ${script && html`<script type="module" src="${root}assets/page.js"></script>`}
      </head>
      <body>
        ${content}
      </body>
    </html> `;
}
