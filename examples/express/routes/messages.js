/** A plain HTML form: post, check, redirect. Works without a script. */
import express, { Router } from 'express';
import { HttpError } from '../errors.js';
import { visitorName } from './session.js';

const longest = 280;
const kept = 5;

/** @typedef {{ from: string, text: string }} Message */

/**
 * @param {{ messages: Message[], feed: import('../feed.js').Feed }} options
 */
export function messageRoutes({ messages, feed }) {
  const router = Router();

  router.post('/', express.urlencoded({ extended: false, limit: '10kb' }), (req, res) => {
    const text = typeof req.body?.text === 'string' ? req.body.text.trim() : '';
    if (text === '' || text.length > longest) {
      throw new HttpError(422, `A message has 1 to ${longest} characters.`);
    }
    const from = visitorName(req);
    messages.unshift({ from, text });
    messages.length = Math.min(messages.length, kept);
    feed.publish(from, `wrote: ${text}`);
    // 303: the browser fetches the page with GET, and a reload does not post again.
    res.redirect(303, './#form');
  });

  return router;
}
