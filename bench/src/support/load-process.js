// The load generator: a process that runs autocannon for each message and answers with what happened.

import { get } from 'node:http';
import autocannon from 'autocannon';

process.on('message', async ({ url, amount, connections, reconnect }) => {
  if (reconnect) return process.send(await runReconnecting(url, amount, connections));
  let answered = 0;
  let lastAnswerAt = 0;
  const startedAt = performance.now();
  // autocannon notices its own end at a sample, every second by default.
  const run = autocannon({ url, amount, connections, sampleInt: 50, timeout: 30 });
  run.on('response', () => {
    if (++answered === amount) lastAnswerAt = performance.now();
  });
  const { errors, timeouts, non2xx } = await run;
  process.send({
    seconds: (lastAnswerAt - startedAt) / 1000,
    failed: Math.max(errors + timeouts + non2xx, amount - answered),
  });
});
/** Every request has a connection of its own, which autocannon would take for an error. */
async function runReconnecting(url, amount, connections) {
  const startedAt = performance.now();
  let left = amount;
  let failed = 0;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await getOnce(url).catch(() => (failed += 1));
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return { seconds: (performance.now() - startedAt) / 1000, failed };
}

function getOnce(url) {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not 200'))));
      response.once('error', reject);
    });
    request.once('error', reject);
  });
}

process.once('disconnect', () => process.exit());
