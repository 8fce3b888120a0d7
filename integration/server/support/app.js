// The application under attack, in a process of its own: SETTINGS (JSON) are the server's options. Says { ready: port }
// over Node's IPC channel, then answers every message, a number, with what happened so far.

import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream';
import { serveScgi } from '@scgi/core';

const block = Buffer.alloc(65_536, 'scgi');
let requests = 0;
let aborted = 0;
/** @type {string[]} */
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(`rejection: ${error}`));
process.on('uncaughtException', (error) => unhandled.push(`exception: ${error}`));
// A test run that dies must not leave us behind.
process.once('disconnect', () => process.exit());

/** @type {Record<string, import('@scgi/core').ScgiListener>} */
const routes = {
  '/': (_req, res) => res.end('hello'),
  // As many bytes as asked for, at the reader's pace.
  '/bytes': (req, res) => {
    const size = Number(new URL(req.url ?? '', 'http://localhost').searchParams.get('size'));
    res.writeHead(200, { 'content-length': size });
    pipeline(bytes(size), res, () => {});
  },
  // The size and the digest of the body.
  '/digest': async (req, res) => {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of req) {
      size += chunk.length;
      hash.update(chunk);
    }
    res.end(`${size} ${hash.digest('hex')}`);
  },
  '/never': () => {},
  // The head and a part of the body, and then nothing.
  '/half': (_req, res) => void res.writeHead(200, { 'content-length': 10 }).write('half'),
};

function* bytes(size) {
  for (let left = size; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block;
}

const running = await serveScgi(
  (req, res) => {
    requests += 1;
    res.on('close', () => {
      if (!res.writableFinished) aborted += 1;
    });
    const route = routes[(req.url ?? '').replace(/\?.*/, '')];
    return route === undefined ? res.writeHead(404).end() : route(req, res);
  },
  { bind: 0, onError: () => {}, ...JSON.parse(process.env.SETTINGS ?? '{}') },
);

process.on('message', (question) => {
  process.send?.({ question, requests, aborted, unhandled, connections: running.server.connectionCount });
});
process.send?.({ ready: running.endpoints[0]?.port });
