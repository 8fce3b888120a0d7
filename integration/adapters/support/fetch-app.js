// A Fetch application that takes and gives bodies of any size and holds none of them, as a process of its own on
// SCGI_BIND; answers questions as the applications of nginx/apps do.

import { readFileSync } from 'node:fs';
import { serveScgi } from '@scgi/adapter-fetch';

/** Lets the reader of an upload go on, now or when it comes there. */
let release;
const released = new Promise((resolve) => (release = resolve));
const moved = { received: 0, sent: 0 };

const running = await serveScgi((request) => {
  const { pathname, searchParams } = new URL(request.url);
  return pathname === '/upload' ? takeSlowly(request) : giveBytes(Number(searchParams.get('size')));
});

/** Reads a megabyte, then nothing until it is asked to go on; then the rest. */
async function takeSlowly(request) {
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    moved.received = size;
    if (size >= 1 << 20) await released;
  }
  return Response.json({ size });
}

function giveBytes(size) {
  const block = new Uint8Array(1 << 16);
  let left = size;
  return new Response(
    new ReadableStream(
      {
        pull(controller) {
          controller.enqueue(block.slice(0, Math.min(left, block.length)));
          left -= block.length;
          moved.sent = size - Math.max(left, 0);
          if (left <= 0) controller.close();
        },
      },
      { highWaterMark: 0 },
    ),
  );
}

const questions = {
  facts: () => {
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return { rssBytes: process.memoryUsage.rss(), peakRssBytes: Number(kilobytes) * 1024 };
  },
  moved: () => moved,
  release: () => release(),
};
// A test run that dies must not leave us behind.
process.once('disconnect', () => process.exit());
process.on('message', ({ id, question }) => process.send({ id, answer: questions[question]() }));
process.send({ ready: running.endpoints[0].address });
