/** The live event feed, filled by assets/feed.js. */
import { html } from './html.js';

export function feedPanel() {
  return html`
    <aside class="panel feed" aria-labelledby="feed-heading">
      <h3 id="feed-heading">Live feed</h3>
      <p>
        Server-sent events from <code>events</code>. Open this page in a second window and watch what you do in the
        other one.
      </p>
      <p class="feed-state" id="feed-state" data-state="waiting">Not connected</p>
      <ol id="feed-log" role="log" aria-label="What happened" tabindex="0"></ol>
      <button type="button" class="quiet" id="feed-toggle">Pause</button>
    </aside>
  `;
}
