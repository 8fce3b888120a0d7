/** Server-sent events: what others do, as it happens, and a tick every few seconds. */
import { Router } from 'express';

/** @param {import('../feed.js').Feed} feed */
export function eventRoutes(feed) {
  const router = Router();

  router.get('/', (req, res) => {
    if (feed.full) return res.status(503).set('Retry-After', '30').end();
    res.set({
      'Content-Type': 'text/event-stream',
      // no-transform also keeps our own compression away: it would hold events back to fill a block.
      'Cache-Control': 'no-store, no-transform',
    });
    res.flushHeaders();
    feed.listen(res, Number(req.get('Last-Event-ID')) || 0);
  });

  return router;
}
