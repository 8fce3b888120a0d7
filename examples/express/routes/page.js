/** The page at / and, for scripts, the same facts as JSON at /request. */
import { Router } from 'express';
import { requestFacts } from '../request-facts.js';
import { page } from '../views/page.js';

/**
 * @param {{ messages: import('./messages.js').Message[], uploadLimitBytes: number }} options
 */
export function pageRoutes({ messages, uploadLimitBytes }) {
  const router = Router();

  router.get('/', (req, res) => {
    const [path] = req.originalUrl.split('?', 1);
    if (!path.endsWith('/')) {
      // Mounted below /app and asked for /app: without the slash every relative link would miss.
      const query = req.originalUrl.slice(path.length);
      return res.redirect(308, `./${path.slice(path.lastIndexOf('/') + 1)}/${query}`);
    }
    req.session.visits = (req.session.visits ?? 0) + 1;
    const { visits, name } = req.session;
    res.set('Cache-Control', 'no-store');
    res.send(String(page({ facts: requestFacts(req), visits, name, messages, uploadLimitBytes })));
  });

  router.get('/request', (req, res) => {
    res.set('Cache-Control', 'no-store').json(requestFacts(req));
  });

  return router;
}
