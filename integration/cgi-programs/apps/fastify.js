import { setTimeout } from 'node:timers/promises';
import { serveCgi } from '@scgi/adapter-fastify';
import Fastify from 'fastify';
import { gate, note } from './notes.js';

// Its logger writes to descriptor 1, whatever process.stdout is.
const app = Fastify({ logger: true, bodyLimit: 10_000_000 });
app.addHook('onClose', async () => {
  await setTimeout(50);
  note('work');
});
app.get('/facts', async (request) => {
  const { originalUrl, ip, protocol } = request;
  const { env, basePath } = request.scgi;
  return { url: basePath + request.url, originalUrl: originalUrl, ip, protocol, user: env.HTTP_USER_AGENT };
});
app.post('/shout', async (request) => request.body.toUpperCase());
app.get('/events', async (_request, reply) => {
  async function* events() {
    yield 'data: 1\n\n';
    await gate('1');
    yield 'data: 2\n\n';
  }
  const { Readable } = await import('node:stream');
  return reply.type('text/event-stream').send(Readable.from(events()));
});
app.get('/work', async () => 'done');

await serveCgi(app);
