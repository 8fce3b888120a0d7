// One of several processes of the same application: answers with its process id after WAIT milliseconds, and ends on
// SIGTERM when what it has accepted is answered.

import { serveScgi } from '@scgi/core';

const wait = Number(process.env.WAIT);
let busy = 0;
let mostBusy = 0;

const running = await serveScgi((_request, response) => {
  busy += 1;
  mostBusy = Math.max(busy, mostBusy);
  response.once('close', () => (busy -= 1));
  response.setHeader('X-Most-Busy', mostBusy);
  setTimeout(() => response.end(`${process.pid}`), wait);
});
process.send({ ready: running.endpoints[0].address });
process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => running.close({ timeout: 5_000 }).then(() => process.exit()));
