/** The page at /: what arrived, sorted by who says so, and the panels to try the rest. */
import { feedPanel } from './feed-panel.js';
import { html } from './html.js';
import { layout } from './layout.js';
import { errorsPanel, formPanel, notesPanel, rangePanel, sessionPanel, spoofPanel, uploadPanel } from './panels.js';
import { arrived, conclusions } from './request.js';

/**
 * @param {object} data
 * @param {import('../request-facts.js').RequestFacts} data.facts
 * @param {number} data.visits
 * @param {string | undefined} data.name
 * @param {import('../routes/messages.js').Message[]} data.messages
 * @param {number} data.uploadLimitBytes
 */
export function page({ facts, visits, name, messages, uploadLimitBytes }) {
  return layout({
    title: facts.overScgi ? 'Express over SCGI' : 'Express over plain HTTP',
    root: './',
    script: true,
    content: html`
      <a class="skip" href="#arrived">Skip to what arrived</a>
      ${hero(facts)}
      <main>
        ${conclusions(facts)} ${arrived(facts)}
        <section class="try" aria-labelledby="try-heading">
          <h2 id="try-heading">Try it</h2>
          <noscript><p class="notice">Without JavaScript the forms work; the other panels need it.</p></noscript>
          <div class="try-layout">
            <div class="panels">
              ${spoofPanel(facts)} ${uploadPanel(uploadLimitBytes)} ${formPanel(messages)} ${sessionPanel(visits, name)}
              ${notesPanel()} ${rangePanel()} ${errorsPanel()}
            </div>
            ${feedPanel()}
          </div>
        </section>
      </main>
      <footer>
        <p>
          A plain Express application. One line of it knows about SCGI:
          <code>await serveScgi(app)</code>.
        </p>
      </footer>
    `,
  });
}

/** @param {import('../request-facts.js').RequestFacts} facts */
function hero({ overScgi, vouched, express }) {
  const variables = Object.fromEntries(vouched);
  const browser = variables.REMOTE_PORT ? `${express.ip}, port ${variables.REMOTE_PORT}` : express.ip;
  return html`
    <header class="hero">
      <p class="eyebrow">Express example application</p>
      <h1>
        ${overScgi ? html`This page reached you over <em>SCGI</em>.` : html`This page reached you over plain HTTP.`}
      </h1>
      ${
        overScgi
          ? html`<p class="lead">
              Your browser spoke HTTP to a web server. The web server passed the request on as SCGI: what it knows
              itself, kept apart from what your browser claims. Below is this very request.
            </p>`
          : html`<p class="lead">
              No web server stands in between, so there are no SCGI variables:
              <code>req.scgi</code> is undefined. Start the application with <code>node server.js</code> behind a web
              server that speaks SCGI and load this page again.
            </p>`
      }
      <ol class="path" aria-label="The way of this request">
        <li class="stop client"><strong>Your browser</strong> <span>${browser}</span></li>
        ${
          overScgi &&
          html`<li class="hop"><span>${express.protocol.toUpperCase()}</span></li>
            <li class="stop server"><strong>Web server</strong> <span>${serverName(variables)}</span></li>`
        }
        <li class="hop"><span>${overScgi ? 'SCGI' : 'HTTP'}</span></li>
        <li class="stop"><strong>Express</strong> <span>process ${process.pid}</span></li>
      </ol>
    </header>
  `;
}

/** @param {Record<string, string>} variables */
function serverName({ SERVER_NAME, SERVER_PORT, SERVER_SOFTWARE }) {
  const address = [SERVER_NAME, SERVER_PORT].filter(Boolean).join(':');
  return SERVER_SOFTWARE ?? (address || 'the SCGI client');
}
