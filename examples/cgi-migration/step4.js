// Step 4: the program is a function of this process. It still thinks that it is a CGI program.
import { serveScgi } from '@scgi/adapter-express';
import { cgiHandler } from '@scgi/cgi';
import express from 'express';
import { guestbook } from './guestbook.js';

const app = express();
app.use('/cgi-bin/guestbook.pl', cgiHandler(guestbook));

const server = await serveScgi(app);
console.log(`SCGI: listening on ${server.endpoints[0].address}`);
process.once('SIGTERM', () => server.close());
