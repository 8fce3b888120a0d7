// Serves a listener as a process of its own on SCGI_BIND, and answers questions about it over Node's IPC channel.

import { serveScgi } from '@scgi/core';
import { readFileSync } from 'node:fs';

/**
 * @param {import('@scgi/core').ScgiListener} listener
 * @param {Record<string, (argument: any) => unknown>} [answers] What the application can be asked besides.
 */
export async function serveAsChild(listener, answers = {}) {
  /** @type {string[]} */
  const unhandled = [];
  process.on('unhandledRejection', (error) => unhandled.push(`rejection: ${error}`));
  process.on('uncaughtException', (error) => unhandled.push(`exception: ${error}`));
  // A test run that dies must not leave us behind.
  process.once('disconnect', () => process.exit());

  const running = await serveScgi(listener, { onError: () => {} });
  const questions = {
    facts: () => ({
      rssBytes: process.memoryUsage.rss(),
      peakRssBytes: peakRss(),
      connections: running.server.connectionCount,
      unhandled,
    }),
    ...answers,
  };
  process.on('message', async ({ id, question, argument }) => {
    process.send({ id, answer: await questions[question](argument) });
  });
  process.send({ ready: running.endpoints[0].address });
}

/** In bytes. Not `process.resourceUsage().maxRSS`, which on Linux counts in what our parent had when it forked us. */
function peakRss() {
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
