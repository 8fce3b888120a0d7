/** The panels to try. Forms work by themselves; buttons and outputs are brought to life by public/assets. */
import { html } from './html.js';

/** @param {import('../request-facts.js').RequestFacts} facts */
export function spoofPanel({ express }) {
  return html`
    <section class="panel" id="spoof" aria-labelledby="spoof-heading" data-ip="${express.ip}">
      <h3 id="spoof-heading">Try to lie</h3>
      <p>Sends the fields an attacker would, and shows what the application believes.</p>
      <ul class="chips">
        <li><code>X-Forwarded-For: 198.51.100.66</code></li>
        <li><code>X-Forwarded-Proto: gopher</code></li>
        <li><code>Remote-Addr: 198.51.100.66</code></li>
      </ul>
      <button type="button" id="spoof-send">Send the lie</button>
      <output id="spoof-result"></output>
    </section>
  `;
}

/** @param {number} limitBytes */
export function uploadPanel(limitBytes) {
  return html`
    <section class="panel" id="upload" aria-labelledby="upload-heading">
      <h3 id="upload-heading">Upload a file</h3>
      <p>Hashed chunk by chunk as it streams in; the server never holds the file.</p>
      <form method="post" action="upload" enctype="multipart/form-data" data-limit="${limitBytes}">
        <label for="upload-file">File, up to ${Math.floor(limitBytes / 1024 / 1024)} MiB</label>
        <input type="file" id="upload-file" name="file" required />
        <div class="row">
          <button>Upload</button>
          <button type="button" class="quiet" id="upload-cancel" hidden>Cancel</button>
        </div>
      </form>
      <progress id="upload-progress" max="1" value="0" aria-label="Upload progress" hidden></progress>
      <output id="upload-result"></output>
    </section>
  `;
}

/** @param {import('../routes/messages.js').Message[]} messages */
export function formPanel(messages) {
  return html`
    <section class="panel" id="form" aria-labelledby="form-heading">
      <h3 id="form-heading">Post a form</h3>
      <p>Urlencoded, answered with a 303, so that a reload does not post twice.</p>
      <form method="post" action="messages">
        <label for="message-text">Message</label>
        <div class="row">
          <input id="message-text" name="text" required maxlength="280" autocomplete="off" />
          <button>Post</button>
        </div>
      </form>
      <ul class="list">
        ${messages.map(({ from, text }) => html`<li><strong>${from}</strong> ${text}</li>`)}
      </ul>
    </section>
  `;
}

/**
 * @param {number} visits
 * @param {string | undefined} name
 */
export function sessionPanel(visits, name) {
  return html`
    <section class="panel" id="session" aria-labelledby="session-heading">
      <h3 id="session-heading">Session</h3>
      <p>
        Hello${name && html`, <strong>${name}</strong>`}. This is visit <strong>${visits}</strong>, says the signed
        cookie. It is marked Secure when the web server says HTTPS.
      </p>
      <form method="post" action="session">
        <label for="session-name">Your name, for the feed</label>
        <div class="row">
          <input id="session-name" name="name" value="${name}" required maxlength="40" autocomplete="nickname" />
          <button>Save</button>
        </div>
      </form>
      <form method="post" action="session/end"><button class="quiet">Forget me</button></form>
    </section>
  `;
}

export function notesPanel() {
  return html`
    <section class="panel" id="notes" aria-labelledby="notes-heading">
      <h3 id="notes-heading">JSON API</h3>
      <p><code>api/notes</code> with GET, POST and DELETE; errors are JSON too.</p>
      <form id="notes-form">
        <label for="notes-text">New note</label>
        <div class="row">
          <input id="notes-text" name="text" autocomplete="off" />
          <button>Add</button>
        </div>
      </form>
      <output id="notes-result"></output>
      <ul class="list" id="notes-list" aria-label="Notes"></ul>
    </section>
  `;
}

export function rangePanel() {
  return html`
    <section class="panel" id="range" aria-labelledby="range-heading">
      <h3 id="range-heading">Static file</h3>
      <p><a href="assets/scgi.txt">assets/scgi.txt</a>, whole and compressed, or just a slice of its bytes.</p>
      <div class="row">
        <button type="button" id="range-whole">Whole file</button>
        <button type="button" id="range-slice">A slice</button>
      </div>
      <output id="range-result"></output>
    </section>
  `;
}

export function errorsPanel() {
  return html`
    <section class="panel" id="errors" aria-labelledby="errors-heading">
      <h3 id="errors-heading">Errors</h3>
      <p>
        The log gets the reason, the client a phrase. After the head the connection is cut, so half never looks whole.
      </p>
      <div class="row">
        <button type="button" data-path="errors/sync">Throw</button>
        <button type="button" data-path="errors/async">Reject</button>
        <button type="button" data-path="errors/late">Fail halfway</button>
      </div>
      <output id="errors-result"></output>
    </section>
  `;
}
