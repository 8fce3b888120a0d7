/** The page behind every error a browser navigates to. */
import { html } from './html.js';
import { layout } from './layout.js';

/**
 * @param {{ status: number, phrase: string, message: string, root: string }} error
 */
export function errorPage({ status, phrase, message, root }) {
  return layout({
    title: `${status} ${phrase}`,
    root,
    content: html`
      <main class="error-page">
        <p class="error-status">${status}</p>
        <h1>${phrase}</h1>
        ${message !== phrase && html`<p>${message}</p>`}
        <p><a href="${root}">Back to the start</a></p>
      </main>
    `,
  });
}
