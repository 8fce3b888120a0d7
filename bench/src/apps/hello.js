// The smallest application: what is left to measure is the server.

const body = 'Hello world\n';

/** @type {import('node:http').RequestListener} */
export function hello(_req, res) {
  res.setHeader('Content-Type', 'text/plain');
  res.end(body);
}
