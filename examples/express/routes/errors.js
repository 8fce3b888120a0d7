/** Three ways to fail. Express 5 catches the first two alike; the third shows what happens when it is too late. */
import { setTimeout } from 'node:timers/promises';
import { Router } from 'express';

export function errorRoutes() {
  const router = Router();

  router.get('/sync', () => {
    throw new Error('thrown by a handler: this text is for the log, the client must never see it');
  });

  router.get('/async', async () => {
    await setTimeout(10);
    throw new Error('rejected by an async handler: this text is for the log');
  });

  router.get('/late', async (req, res) => {
    // The promised length is what lets everyone on the way notice that the rest is missing.
    res.set({
      'Content-Type': 'text/plain',
      'Content-Length': '1000',
      'Cache-Control': 'no-store, no-transform',
    });
    res.write('The first of many lines.\n');
    await setTimeout(50);
    throw new Error('failed after the head was sent: this text is for the log');
  });

  return router;
}
