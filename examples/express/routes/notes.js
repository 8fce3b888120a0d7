/** A JSON API over a small resource in memory. Errors are JSON too, with a status that says whose fault it is. */
import { randomUUID } from 'node:crypto';
import express, { Router } from 'express';
import { HttpError } from '../errors.js';
import { visitorName } from './session.js';

const longest = 200;
const mostNotes = 100;

/** @typedef {{ id: string, text: string, by: string, createdAt: string }} Note */

/** @param {import('../feed.js').Feed} feed */
export function noteRoutes(feed) {
  const router = Router();
  /** @type {Map<string, Note>} */
  const notes = new Map();

  router
    .route('/')
    .get((req, res) => res.json({ notes: [...notes.values()] }))
    .post(express.json({ limit: '10kb' }), (req, res) => {
      const text = readText(req);
      if (notes.size >= mostNotes) throw new HttpError(409, `There are ${mostNotes} notes. Delete one first.`);
      const note = {
        id: randomUUID(),
        text,
        by: visitorName(req),
        createdAt: new Date().toISOString(),
      };
      notes.set(note.id, note);
      feed.publish(note.by, `added the note “${text}”`);
      res.status(201).location(`notes/${note.id}`).json(note);
    })
    .all(onlyAllows('GET, HEAD, POST'));

  router
    .route('/:id')
    .get((req, res) => res.json(find(req.params.id)))
    .delete((req, res) => {
      const note = find(req.params.id);
      notes.delete(note.id);
      feed.publish(visitorName(req), `deleted the note “${note.text}”`);
      res.status(204).end();
    })
    .all(onlyAllows('GET, HEAD, DELETE'));

  /** @param {string} id */
  function find(id) {
    const note = notes.get(id);
    if (note === undefined) throw new HttpError(404, 'There is no such note.');
    return note;
  }

  return router;
}

/** @param {import('express').Request} req */
function readText(req) {
  if (!req.is('json')) throw new HttpError(415, 'Send the note as application/json.');
  const text = req.body?.text;
  if (typeof text !== 'string' || text.trim() === '' || text.length > longest) {
    throw new HttpError(422, `“text” must be a string of 1 to ${longest} characters.`);
  }
  return text.trim();
}

/**
 * @param {string} methods
 * @returns {import('express').RequestHandler}
 */
function onlyAllows(methods) {
  return (req, res) => {
    res.set('Allow', methods);
    throw new HttpError(405, `This address answers ${methods}.`);
  };
}
