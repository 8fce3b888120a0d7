// Sends and takes bodies of any size, as fast as the peer or no faster than the test says. Holds none of them.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { serveAsChild } from './child.js';
import { pattern } from './pattern.js';

/** Bytes of all bodies together that were received and sent. */
const moved = { received: 0, sent: 0 };
/** Event streams that are open. */
const streams = new Set();
/** Lets a reader that was told to wait go on. */
let release = () => {};

const routes = {
  /** POST: says what has arrived. With `?pause=N` it stops reading after every N bytes until it is asked to go on. */
  '/hash': async (req, res, { searchParams }) => {
    const hash = createHash('sha256');
    const pauseBytes = Number(searchParams.get('pause') ?? Infinity);
    let size = 0;
    let nextPause = pauseBytes;
    for await (const chunk of req) {
      hash.update(chunk);
      size += chunk.length;
      moved.received += chunk.length;
      if (size >= nextPause) {
        nextPause += pauseBytes;
        await new Promise((resolve) => (release = resolve));
      }
    }
    const { CONTENT_LENGTH } = req.scgi.env;
    const stated = { CONTENT_LENGTH, field: req.headers['content-length'] };
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ size, sha256: hash.digest('hex'), stated }));
  },

  /** GET: so many bytes of the pattern. */
  '/bytes': async (req, res, { searchParams }) => {
    const size = Number(searchParams.get('size'));
    res.setHeader('Content-Type', 'application/octet-stream');
    if (searchParams.has('length')) res.setHeader('Content-Length', size);
    for (const block of pattern(size)) {
      moved.sent += block.length;
      if (!res.write(block)) await once(res, 'drain');
    }
    res.end();
  },

  /** POST: the body comes back while it arrives. */
  '/echo': (req, res) => pipeline(req, res),

  /** GET: an event for each one that the test asks for. */
  '/events': (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    res.flushHeaders();
    streams.add(res);
    res.once('close', () => streams.delete(res));
  },
};

await serveAsChild(
  (req, res) => {
    const url = new URL(req.url, 'http://app');
    return routes[url.pathname](req, res, url);
  },
  {
    moved: () => moved,
    goOn: () => release(),
    emit: (text) => streams.forEach((stream) => stream.write(`data: ${text}\n\n`)),
    listeners: () => streams.size,
  },
);
