import { startBackend } from '../gateway-express/backend.js';
import { createApp } from './app.js';

const backend = await startBackend(); // the same one
const app = await createApp(backend.target);
const address = await app.listen({ port: process.env.PORT ?? 8080, host: '127.0.0.1' });
console.log(`HTTP: listening on ${address}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close().then(backend.stop));
