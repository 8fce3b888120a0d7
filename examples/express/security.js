/** Two habits every response and every change of state gets, whichever router is behind them. */
import { HttpError } from './errors.js';

// Everything comes from this origin, and no script or style is inline: an escaping mistake in a view
// still runs nothing.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @type {import('express').RequestHandler} */
export function securityHeaders(req, res, next) {
  res.set({
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  next();
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Keeps other sites from posting in a visitor's name. Browsers always tell where a request came from
 * and scripts cannot forge it; clients without the field (curl) carry nobody's cookies.
 * @type {import('express').RequestHandler}
 */
export function refuseCrossSite(req, res, next) {
  const crossSite = req.get('Sec-Fetch-Site') === 'cross-site';
  if (crossSite && !safeMethods.has(req.method)) throw new HttpError(403, 'Requests from other sites are refused.');
  next();
}
