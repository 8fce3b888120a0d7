// Step 3: an Express application shows the guestbook; all the rest is still for the programs.
import { serveScgi } from '@scgi/adapter-express';
import { cgiDirectory } from '@scgi/cgi';
import express from 'express';
import { page } from './page.js';

const app = express();
app.get('/cgi-bin/guestbook.pl', async (req, res) => res.type('html').send(await page()));
app.use('/cgi-bin', cgiDirectory(`${import.meta.dirname}/cgi-bin`, { inheritEnvironment: ['GUESTBOOK_FILE'] }));

const server = await serveScgi(app);
console.log(`SCGI: listening on ${server.endpoints[0].address}`);
process.once('SIGTERM', () => server.close());
