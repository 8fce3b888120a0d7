import { mkdirSync } from 'node:fs';
import { serveScgi } from '@scgi/adapter-gemini';
import { createCapsule } from './capsule.js';
import { certificateIn } from './certificate.js';
import { createGuestbook } from './guestbook.js';

const folder = 'data'; // below the folder in which this is started
mkdirSync(folder, { recursive: true, mode: 0o700 });

// Here in the same process; it may as well run elsewhere, or be written in another language.
const socketPath = `${folder}/guestbook.sock`;
const guestbook = await serveScgi(createGuestbook(), { bind: `unix:${socketPath}` });

const capsule = createCapsule({ socketPath });
const server = await capsule.listen({ ...certificateIn(folder), port: Number(process.env.PORT ?? 1965) });
console.log(`Gemini: listening on gemini://localhost:${server.port}/`);

process.once('SIGTERM', async () => {
  await server.close({ timeout: 2_000 });
  await guestbook.close({ timeout: 2_000 });
});
