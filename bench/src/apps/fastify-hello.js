// Fastify as it comes, with one route.

import fastify from 'fastify';

export const app = fastify();
app.get('/*', (_request, reply) => {
  reply.send('Hello world\n');
});
