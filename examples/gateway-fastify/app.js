// A Fastify application with routes of its own and a backend in Python below /api, by way of @fastify/middie.
import middie from '@fastify/middie';
import { scgi } from '@scgi/gateway';
import fastify from 'fastify';

export async function createApp(target) {
  const app = fastify({ logger: { level: 'warn' } });
  await app.register(middie); // runs before Fastify reads a body

  const api = scgi('/api', target, {
    onError: (error, request) => app.log.error({ code: error.code, url: request.url }, 'the backend has failed'),
  });
  app.use(api);
  app.addHook('onClose', async () => api.close());

  app.get('/', async () => 'Fastify is here, Python is below /api\n');
  return app;
}
