// A pinboard. Plain Hono: nothing here knows of SCGI but the line that reads REMOTE_USER, which copes without.
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

const notes = [];
export const app = new Hono();

app.get('/', (c) => c.json({ url: c.req.url, client: c.env.remoteAddress, user: c.env.env?.REMOTE_USER, notes }));

app.post('/notes', async (c) => {
  const { text } = await c.req.parseBody();
  if (!text) return c.text('A note has a text.\n', 422);
  notes.push(text);
  return c.redirect('./', 303);
});

// The body comes as fast as it is digested, whatever its size, and the answer as fast as the client takes it.
app.put('/shout', (c) => {
  const upperCase = new TransformStream({ transform: (text, out) => out.enqueue(text.toUpperCase()) });
  const stages = [new TextDecoderStream(), upperCase, new TextEncoderStream()];
  return c.body(stages.reduce((stream, stage) => stream.pipeThrough(stage), c.req.raw.body ?? new Blob().stream()));
});

app.get('/count', (c) =>
  streamSSE(c, async (stream) => {
    for (let id = 1; id <= 3; id += 1) await stream.writeSSE({ id: String(id), data: `${notes.length} notes` });
  }),
);
