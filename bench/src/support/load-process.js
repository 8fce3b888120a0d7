// The load generator: a process that runs autocannon for each message and answers with what happened.

import autocannon from 'autocannon';

process.on('message', async ({ url, amount, connections }) => {
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
process.once('disconnect', () => process.exit());
