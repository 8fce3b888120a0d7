/** The page and what belongs to it: a plain listener for Node's `request` event. */
import { readFileSync } from 'node:fs';

const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
const load = (name) => [readFileSync(new URL(`public/${name}`, import.meta.url)), types[name.split('.')[1]]];
const files = { '/': load('index.html'), '/chat.js': load('chat.js'), '/chat.css': load('chat.css') };

export function pages(req, res) {
  const [body, type] = files[req.url.split('?')[0]] ?? [];
  if (body === undefined) return res.writeHead(404).end('not found\n');
  res.setHeader('Content-Type', `${type}; charset=utf-8`);
  // No script but ours, and no connection to anywhere else.
  res.setHeader('Content-Security-Policy', "default-src 'self'; img-src data:; frame-ancestors 'none'");
  res.end(body);
}
