/** The two sections about the request: what Express concludes, and what arrived in two columns. */
import { html } from './html.js';

/** @typedef {import('../request-facts.js').RequestFacts} RequestFacts */

/** @param {RequestFacts} facts */
export function conclusions({ overScgi, express }) {
  const card = (name, value, source, from) => html`
    <div class="conclusion ${source}">
      <dt>req.${name}</dt>
      <dd class="value">${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}</dd>
      <dd class="from">from ${from}</dd>
    </div>
  `;
  const scheme = overScgi ? 'HTTPS or REQUEST_SCHEME' : 'the socket';
  return html`
    <section aria-labelledby="conclusions-heading">
      <h2 id="conclusions-heading">What Express makes of it</h2>
      <p class="intro">
        ${
          overScgi
            ? html`No <code>trust proxy</code>, no <code>X-Forwarded-*</code>: address and scheme come from the web
                server's side of the request.`
            : html`Over plain HTTP, address and scheme are those of the TCP connection.`
        }
      </p>
      <dl class="conclusions">
        ${card('ip', express.ip, 'server', overScgi ? 'REMOTE_ADDR' : 'the socket')}
        ${card('protocol', express.protocol, 'server', scheme)} ${card('secure', express.secure, 'server', scheme)}
        ${card('baseUrl', express.baseUrl, 'server', 'the mount point')}
        ${card('hostname', express.hostname, 'client', 'the Host field')}
        ${card('originalUrl', express.originalUrl, 'client', 'the request line')}
      </dl>
    </section>
  `;
}

/** @param {RequestFacts} facts */
export function arrived({ overScgi, vouched, asked, headers }) {
  return html`
    <section id="arrived" aria-labelledby="arrived-heading">
      <h2 id="arrived-heading">What arrived</h2>
      <div class="columns">
        <article class="column server">
          <h3>Vouched for by the web server</h3>
          <p>
            <code>req.scgi.env</code> without the client's part: what the web server knows itself. No header field can
            take their place. (Only <code>SERVER_NAME</code> is copied from Host by some web servers.)
          </p>
          ${
            overScgi
              ? table('Variables of the web server', vouched)
              : html`<p class="notice">Nothing: this request came without a web server in between.</p>`
          }
        </article>
        <article class="column client">
          <h3>Sent by the client</h3>
          <p>
            The request line and <code>req.headers</code>. Good to know, never proof: anybody can send anything here.
          </p>
          ${table('Request line and body', asked)} ${table('Header fields', headers)}
        </article>
      </div>
    </section>
  `;
}

/**
 * The roles keep it a table for screen readers where request.css stacks the cells of narrow pages.
 * @param {string} caption
 * @param {import('../request-facts.js').Fact[]} facts
 */
function table(caption, facts) {
  return html`
    <table role="table">
      <caption>
        ${caption}
        <span class="count">${facts.length}</span>
      </caption>
      <tbody>
        ${facts.map(
          ([name, value]) =>
            html`<tr role="row">
              <th role="rowheader" scope="row">${name}</th>
              <td role="cell">${value === '' ? html`<span class="empty">empty</span>` : value}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  `;
}
