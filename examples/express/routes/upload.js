/**
 * A file upload that is never whole in memory: each chunk is counted, hashed and forgotten.
 * Replace `digest` by a storage that writes to disk or to an object store and nothing else changes.
 */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import multer from 'multer';
import { HttpError } from '../errors.js';
import { visitorName } from './session.js';

/** @type {multer.StorageEngine} */
const digest = {
  _handleFile(req, file, done) {
    const hash = createHash('sha256');
    let size = 0;
    pipeline(file.stream, async (chunks) => {
      for await (const chunk of chunks) {
        size += chunk.length;
        hash.update(chunk);
      }
    }).then(() => done(null, { size, sha256: hash.digest('hex') }), done);
  },
  _removeFile(req, file, done) {
    done(null); // nothing was kept
  },
};

/**
 * @param {{ limitBytes: number, feed: import('../feed.js').Feed }} options
 */
export function uploadRoutes({ limitBytes, feed }) {
  const router = Router();
  const limits = { fileSize: limitBytes, files: 1, fields: 0, parts: 1 };
  const parse = multer({ storage: digest, limits, defParamCharset: 'utf8' }).single('file');

  router.post('/', receive, (req, res) => {
    if (req.file === undefined) throw new HttpError(422, 'Choose a file first.');
    const { originalname: name, mimetype: type, size, sha256 } = req.file;
    feed.publish(visitorName(req), `uploaded ${name} (${size} bytes)`);
    res.status(201).json({ name, type, size, sha256 });
  });

  /**
   * Multer reads a refused upload to its end, so that the browser gets to see the answer.
   * @type {import('express').RequestHandler}
   */
  function receive(req, res, next) {
    parse(req, res, (error) => {
      if (error?.code === 'LIMIT_FILE_SIZE') next(new HttpError(413, `Files may have up to ${limitBytes} bytes.`));
      else if (error instanceof multer.MulterError) next(new HttpError(400, error.message));
      else next(error);
    });
  }

  return router;
}
