// The guestbook as an Express application, without a word of CGI or SCGI.
import express from 'express';
import { addEntry } from './entries.js';
import { page } from './page.js';

export const app = express();
const formOnly = express.urlencoded({ limit: 16_384 });
const home = (req) => `${req.baseUrl}/guestbook`;

app.get('/guestbook', async (req, res) => res.type('html').send(await page()));
app.post('/guestbook', formOnly, async (req, res) => {
  const status = req.is('urlencoded') ? await addEntry(req.body) : 415;
  if (status === 303) res.redirect(303, home(req));
  else res.sendStatus(status);
});
app.all('/guestbook', (req, res) => res.set('Allow', 'GET, HEAD, POST').sendStatus(405));

// The address of all the years before. 308: a form that is still open in a browser is posted again, and not lost.
app.all('/cgi-bin/guestbook.pl', (req, res) => res.redirect(308, home(req)));

app.use((error, _req, res, _next) => {
  if (!error.status) console.error(error);
  res.sendStatus(error.status ?? 500);
});
