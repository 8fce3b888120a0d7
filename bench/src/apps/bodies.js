// Bodies of any size: counts what is uploaded, at full speed or at a pace, and streams what is asked for.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Pace } from '../support/pace.js';

const block = Buffer.alloc(64 * 1024, 'x');

/**
 * `POST …/count`, `POST …/count?pace=<bytes per second>`, `GET …/stream?bytes=<n>`.
 * @type {import('node:http').RequestListener}
 */
export function bodies(req, res) {
  const { pathname, searchParams } = new URL(req.url, 'http://bench');
  const pace = searchParams.get('pace');
  if (pathname.endsWith('/stream')) void stream(res, Number(searchParams.get('bytes')));
  else if (pace === null) count(req, res);
  else void countSlowly(req, res, Number(pace));
}

function count(req, res) {
  let bytes = 0;
  req.on('data', (chunk) => (bytes += chunk.length));
  req.on('end', () => res.end(`counted ${bytes}\n`));
}

async function countSlowly(req, res, bytesPerSecond) {
  const pace = new Pace(bytesPerSecond);
  let bytes = 0;
  for await (const chunk of req) {
    bytes += chunk.length;
    const pause = pace.passed(chunk.length);
    if (pause !== undefined) await pause;
  }
  res.end(`counted ${bytes}\n`);
}

async function stream(res, bytes) {
  res.setHeader('Content-Length', bytes);
  await pipeline(Readable.from(blocks(bytes), { objectMode: false }), res);
}

function* blocks(bytes) {
  for (let left = bytes; left > 0; left -= block.length) {
    yield left < block.length ? block.subarray(0, left) : block;
  }
}
