/**
 * Starts the application behind a web server that speaks SCGI.
 * SCGI_BIND says where to listen: 4000, 127.0.0.1:4000, unix:/run/example.sock?mode=0660, or several
 * with commas. Without it: the socket systemd passed, else 127.0.0.1:4000.
 */
import { serveScgi } from '@scgi/adapter-express';
import { createApp } from './app.js';

const app = createApp({ sessionKey: process.env.SESSION_KEY });
const server = await serveScgi(app);

for (const endpoint of server.endpoints) {
  console.log(`SCGI: listening on ${endpoint.address}`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    app.locals.feed.close(); // event streams never end by themselves; all other responses may finish
    await server.close({ timeout: 10_000 });
  });
}
