import { createApp } from './app.js';
import { startBackend } from './backend.js';

const backend = await startBackend();
const server = createApp(backend.target).listen(process.env.PORT ?? 8080, '127.0.0.1', () => {
  console.log(`HTTP: listening on http://127.0.0.1:${server.address().port}`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => backend.stop()));
