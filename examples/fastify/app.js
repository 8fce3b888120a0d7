// A shelf of books. Plain Fastify: nothing here knows of SCGI but the line that reads REMOTE_USER, which copes without.
import { Readable } from 'node:stream';
import { setInterval } from 'node:timers/promises';
import Fastify from 'fastify';

const books = new Map();
const properties = { title: { type: 'string', minLength: 1 }, year: { type: 'integer' } };
const book = { type: 'object', required: ['title', 'year'], properties };
export const app = Fastify();

app.get('/', async (request) => ({
  // True without `trustProxy`: the web server says who the client is, apart from what the client claims.
  from: { ip: request.ip, protocol: request.protocol, user: request.raw.scgi?.env.REMOTE_USER ?? 'nobody' },
  books: [...books.values()],
}));

app.put('/books/:id', { schema: { body: book } }, async (request, reply) => {
  reply.code(books.has(request.params.id) ? 200 : 201);
  books.set(request.params.id, request.body);
  return request.body;
});

// Fastify destroys the stream when the client leaves, and with it the timer ends.
app.get('/events', (_request, reply) => reply.type('text/event-stream').send(Readable.from(ticks())));

async function* ticks() {
  let count = 1;
  yield `data: ${count}\n\n`;
  for await (const _ of setInterval(1000)) yield `data: ${++count}\n\n`;
}
