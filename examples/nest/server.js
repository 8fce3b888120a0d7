/** SCGI_BIND says where to listen: 4000, unix:/run/app.sock?mode=0660. Without it: 127.0.0.1:4000. */
import { serveScgi } from '@scgi/core';
import { createApp } from './app.js';

const app = await createApp();
await app.init();
const server = await serveScgi(app.getHttpAdapter().getInstance());
console.log(`SCGI: listening on ${server.endpoints[0].address}`);

// Nest closes its HTTP server, which has never listened, through this method; so app.close() and the shutdown hooks
// now stop ours, and wait for the requests in flight.
app.getHttpAdapter().close = () => server.close({ timeout: 10_000 });
app.enableShutdownHooks();
