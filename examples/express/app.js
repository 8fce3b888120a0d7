/**
 * Puts the application together: what every request passes through, then one router per subject.
 * It is plain Express. Nothing in this file, or in any router, knows that SCGI exists: see server.js
 * for the one line that does, and request-facts.js for the one place that reads the SCGI variables.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import compression from 'compression';
import cookieSession from 'cookie-session';
import express from 'express';
import { errorHandler, notFound } from './errors.js';
import { createFeed } from './feed.js';
import { errorRoutes } from './routes/errors.js';
import { eventRoutes } from './routes/events.js';
import { messageRoutes } from './routes/messages.js';
import { noteRoutes } from './routes/notes.js';
import { pageRoutes } from './routes/page.js';
import { sessionRoutes } from './routes/session.js';
import { uploadRoutes } from './routes/upload.js';
import { refuseCrossSite, securityHeaders } from './security.js';

const publicFolder = fileURLToPath(new URL('public', import.meta.url));
const week = 7 * 24 * 60 * 60 * 1000;

/**
 * @typedef {object} AppOptions
 * @property {string} [sessionKey] Signs the session cookie. Default: random, so a restart ends all sessions.
 * @property {number} [uploadLimitBytes] Largest file accepted. Default: 512 MiB.
 * @property {(error: unknown) => void} [logError] Gets every error that was answered with a 5xx. Default: console.error.
 */

/**
 * @param {AppOptions} [options]
 * @returns {express.Express} `app.locals.feed.close()` ends the event streams; call it before a shutdown.
 */
export function createApp(options = {}) {
  const {
    sessionKey = randomBytes(32).toString('base64url'),
    uploadLimitBytes = 512 * 1024 * 1024,
    logError = console.error,
  } = options;

  const app = express();
  const feed = createFeed();
  /** @type {import('./routes/messages.js').Message[]} */
  const messages = [];
  app.locals.feed = feed;
  app.disable('x-powered-by');
  // No `trust proxy`: over SCGI the client's address and the scheme arrive apart from the client's headers,
  // so req.ip, req.protocol and req.secure are right without believing any X-Forwarded-* field.

  app.use(securityHeaders);
  app.use(refuseCrossSite);
  app.use(compression({ filter: worthCompressing }));
  app.use('/assets', express.static(publicFolder + '/assets', { index: false }));
  // `Secure` needs no option: the cookie gets it whenever req.protocol is https.
  app.use(cookieSession({ name: 'example', keys: [sessionKey], maxAge: week, sameSite: 'lax' }));

  app.use(pageRoutes({ messages, uploadLimitBytes }));
  app.use('/session', sessionRoutes(feed));
  app.use('/messages', messageRoutes({ messages, feed }));
  app.use('/api/notes', noteRoutes(feed));
  app.use('/upload', uploadRoutes({ limitBytes: uploadLimitBytes, feed }));
  app.use('/events', eventRoutes(feed));
  app.use('/errors', errorRoutes());

  app.use(notFound);
  app.use(errorHandler(logError));
  return app;
}

/**
 * A range is a slice of the bytes as stored. Compressing the slice would give bytes that are in no
 * version of the file, so a request with Range gets them as they are.
 * @type {compression.CompressionFilter}
 */
function worthCompressing(req, res) {
  return req.headers.range === undefined && compression.filter(req, res);
}
