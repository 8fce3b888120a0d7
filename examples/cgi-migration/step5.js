// Step 5: an Express application as any other.
import { serveScgi } from '@scgi/adapter-express';
import { app } from './app.js';

const server = await serveScgi(app);
console.log(`SCGI: listening on ${server.endpoints[0].address}`);
process.once('SIGTERM', () => server.close());
