// A bare listener that does what the path says.

import process from 'node:process';
import { serveCgi } from '@scgi/core';
import { gate, note } from './notes.js';

const block = Buffer.alloc(65_536, 'a');

const routes = {
  facts(req, res) {
    const { method, url, originalUrl, headers, socket, scgi } = req;
    const { remoteAddress, encrypted = false } = socket;
    const { env, basePath } = scgi;
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ method, url, originalUrl, headers, remoteAddress, encrypted, env, basePath }));
  },
  echo: (req, res) => req.pipe(res),
  async count(req, res) {
    let octets = 0;
    for await (const chunk of req) octets += chunk.length;
    res.end(JSON.stringify({ octets, kibibytes: process.resourceUsage().maxRSS }));
  },
  // As fast as it is taken.
  blocks(_req, res, count) {
    res.writeHead(200, { 'Content-Length': count * block.length });
    const write = (left) => {
      while (left-- > 0) if (!res.write(block)) return res.once('drain', () => write(left));
      return res.end(() => note(`${process.resourceUsage().maxRSS} KiB`));
    };
    write(Number(count));
  },
  // All at once.
  whole: (_req, res, octets) => res.end(Buffer.alloc(Number(octets), 'a')),
  async events(_req, res) {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const event of ['1', '2', '3']) {
      res.write(`data: ${event}\n\n`);
      await gate(event);
    }
    res.end();
  },
  endless(req, res) {
    for (const event of ['aborted', 'close']) req.once(event, () => note(`request ${event}`));
    const write = () => {
      while (res.write(block));
    };
    res.on('drain', write).once('close', () => note('response close'));
    write();
  },
  upload(req, res) {
    note('arrived');
    for (const event of ['aborted', 'close']) req.once(event, () => note(`request ${event}`));
    req.resume().once('end', () => res.end('all of it'));
  },
  print(_req, res) {
    console.log('printed to the standard output');
    console.error('printed to the standard error');
    res.end('the answer');
  },
  throw() {
    throw new Error('thrown by the handler');
  },
  crash() {
    setImmediate(() => {
      throw new Error('thrown by nobody');
    });
  },
  status: (_req, res, code) => res.writeHead(Number(code), { 'X-Code': code }).end(),
  located: (_req, res, status) => res.writeHead(Number(status), { Location: '/cgi-bin/core.cgi/facts' }).end('here'),
};

function app(req, res) {
  const [, route = '', argument] = /^\/(\w*)(?:\/(\w+))?/.exec(req.url) ?? [];
  return Object.hasOwn(routes, route) ? routes[route](req, res, argument) : routes.facts(req, res);
}

await serveCgi(app, { cgi: { variables: ['OIDC_*'] } });
