// An application that is restarted while requests come: says who it is and how much it was sent.

import { serveScgi } from '@scgi/core';

// A test run that dies must not leave us behind.
process.once('disconnect', () => process.exit());

const server = await serveScgi(async (request, response) => {
  let bytes = 0;
  for await (const chunk of request) bytes += chunk.length;
  response.end(`${process.pid} ${request.method} ${bytes}`);
});
process.once('SIGTERM', async () => {
  await server.close();
  process.disconnect();
});
process.send('ready');
