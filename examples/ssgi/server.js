// SCGI_BIND says where: 4000, 127.0.0.1:4000, unix:/run/example/app.sock?mode=0660; without it 127.0.0.1:4000.
import { serveScgi } from '@scgi/adapter-ssgi';
import { app } from './app.js';

const server = await serveScgi(app);
for (const { address } of server.endpoints) console.log(`SCGI: listening on ${address}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close({ timeout: 10_000 }));
