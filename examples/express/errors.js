/**
 * From an error to an answer. What the client may read is decided here and nowhere else:
 * the message of an error that was made for the client, and for all others the status phrase only.
 */
import { STATUS_CODES } from 'node:http';
import { rootOf } from './paths.js';
import { errorPage } from './views/error-page.js';

/** An error whose message is meant for the client. */
export class HttpError extends Error {
  expose = true;

  /**
   * @param {number} status 4xx
   * @param {string} message One sentence for the client.
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @type {import('express').RequestHandler} */
export function notFound() {
  throw new HttpError(404, 'Nothing lives at this address.');
}

/**
 * @param {(error: unknown) => void} logError
 * @returns {import('express').ErrorRequestHandler}
 */
export function errorHandler(logError) {
  return (error, req, res, next) => {
    if (res.destroyed) return; // the client left: nobody to answer, nothing went wrong here
    // Half an answer is on its way. Express now cuts the connection, which is the only honest signal left:
    // a tidy end would make the half look whole.
    if (res.headersSent) return next(error);

    const status = statusOf(error);
    if (status >= 500) logError(error);
    const phrase = STATUS_CODES[status] ?? 'Error';
    const message = error.expose === true && status < 500 ? error.message : phrase;

    res.status(status).set('Cache-Control', 'no-store').vary('Accept');
    if (req.accepts(['json', 'html']) === 'html') {
      res.send(String(errorPage({ status, phrase, message, root: rootOf(req) })));
    } else {
      res.json({ error: { status, message } });
    }
  };
}

/**
 * Body parsers, express.static and our own HttpError all say it with `status`.
 * @param {any} error
 */
function statusOf(error) {
  const status = error?.status;
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : 500;
}
