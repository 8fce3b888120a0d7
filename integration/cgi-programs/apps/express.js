import { serveCgi } from '@scgi/adapter-express';
import express from 'express';
import { gate, note } from './notes.js';

const app = express();
app.get('/facts', (req, res) => {
  const { baseUrl, url, originalUrl, ip, protocol } = req;
  res.json({ url: baseUrl + url, originalUrl, ip, protocol, user: req.scgi.env.HTTP_USER_AGENT });
});
app.post('/shout', express.text({ limit: '10mb' }), (req, res) => res.send(req.body.toUpperCase()));
app.get('/events', async (_req, res) => {
  res.type('text/event-stream').write('data: 1\n\n');
  await gate('1');
  res.end('data: 2\n\n');
});
app.get('/work', (_req, res) => {
  res.on('finish', () => note('work'));
  res.send('done');
});

await serveCgi(app);
