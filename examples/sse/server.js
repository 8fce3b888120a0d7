import { serveScgi } from '@scgi/core';
import { createApp } from './app.js';

const server = await serveScgi(createApp()); // listens where SCGI_BIND says, or on 127.0.0.1:4000
console.log(`SCGI: listening on ${server.endpoints[0].address}`);
process.once('SIGTERM', () => server.close({ timeout: 1_000 })); // the streams would never end by themselves
