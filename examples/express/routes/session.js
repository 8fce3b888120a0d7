/** A name kept in a signed cookie: the whole session lives with the visitor, nothing in our memory. */
import express, { Router } from 'express';
import { HttpError } from '../errors.js';

const longest = 40;

/**
 * @param {import('express').Request} req
 * @returns {string}
 */
export function visitorName(req) {
  return req.session?.name ?? 'someone';
}

/** @param {import('../feed.js').Feed} feed */
export function sessionRoutes(feed) {
  const router = Router();

  router.post('/', express.urlencoded({ extended: false, limit: '10kb' }), (req, res) => {
    const name = typeof req.body?.name === 'string' ? req.body.name.trim() : '';
    if (name === '' || name.length > longest) throw new HttpError(422, `A name has 1 to ${longest} characters.`);
    req.session.name = name;
    feed.publish(name, 'said hello');
    res.redirect(303, './#session');
  });

  router.post('/end', (req, res) => {
    req.session = null; // cookie-session now sends a cookie that has expired
    res.redirect(303, '../#session');
  });

  return router;
}
