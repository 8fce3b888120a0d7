// multer, as it is, over SCGI: files and fields of a multipart form, to memory and to disk, and what its limits say.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import multer from 'multer';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/deadline.js';
import { openRequest } from '../support/http-client.js';
import { serveBothWays, serveFront } from './support/both-ways.js';

const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));

function createApp(upload: multer.Multer, errors: unknown[] = []): express.Express {
  const app = express();
  const report: express.RequestHandler = (req, res) => {
    const files = [req.file ?? [], Array.isArray(req.files) ? req.files : Object.values(req.files ?? {})].flat(2);
    const described = files.map(({ fieldname, originalname, mimetype, size }) => [
      fieldname,
      originalname,
      mimetype,
      size,
    ]);
    res.json({ fields: req.body, files: described, same: files.map(({ buffer }) => buffer?.equals(bytes)) });
  };
  app.post('/one', upload.single('file'), report);
  app.post('/many', upload.fields([{ name: 'a' }, { name: 'b', maxCount: 2 }]), report);
  app.post('/none', upload.none(), report);
  app.use(((error, _req, res, _next) => {
    errors.push(error);
    res.status(error instanceof multer.MulterError ? 400 : 500).json({ code: error.code, message: error.message });
  }) satisfies express.ErrorRequestHandler);
  return app;
}

describe('multer', () => {
  test('takes a file and the fields beside it', async () => {
    const app = await serveBothWays(() => createApp(multer()));
    const answer = await app.same((agent) =>
      agent.post('/one').field('title', 'Ärger').field('tags', ['x', 'y']).attach('file', bytes, 'b.bin'),
    );
    expect(JSON.parse(answer.text)).toEqual({
      fields: { title: 'Ärger', tags: ['x', 'y'] },
      files: [['file', 'b.bin', 'application/octet-stream', bytes.byteLength]],
      same: [true],
    });
  });

  test('takes several files of several fields', async () => {
    const app = await serveBothWays(() => createApp(multer()));
    const answer = await app.same((agent) =>
      agent.post('/many').attach('b', bytes, '1.txt').attach('a', bytes, '2.png').attach('b', Buffer.alloc(0), '3'),
    );
    expect(
      JSON.parse(answer.text)
        .files.map(([field, name]: string[]) => `${field} ${name}`)
        .toSorted(),
    ).toEqual(['a 2.png', 'b 1.txt', 'b 3']);
  });

  test('takes a form without files', async () => {
    const app = await serveBothWays(() => createApp(multer()));
    const answer = await app.same((agent) => agent.post('/none').field('a[b]', '1'));
    expect(JSON.parse(answer.text).fields).toEqual({ a: { b: '1' } });
  });

  test('stores a file on disk, byte by byte', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scgi-multer-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const app = await serveBothWays(() => createApp(multer({ dest: folder })));
    const { status } = await app.same((agent) => agent.post('/one').attach('file', bytes, 'b.bin'));
    expect(status).toBe(200);
    const stored = readdirSync(folder).map((name) => readFileSync(join(folder, name)).equals(bytes));
    expect(stored).toEqual([true, true]);
  });

  test.each([
    ['LIMIT_FILE_SIZE', { fileSize: 1_000 }, '/one', 'file'],
    ['LIMIT_UNEXPECTED_FILE', {}, '/one', 'other'],
    ['LIMIT_PART_COUNT', { parts: 0 }, '/one', 'file'],
  ])('refuses with %s, and the answer arrives', async (code, limits, path, field) => {
    const app = await serveBothWays(() => createApp(multer({ limits })));
    const answer = await app.same((agent) => agent.post(path).attach(field, bytes, 'b.bin'));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).code).toBe(code);
  });

  test('refuses a form that ends in the middle', async () => {
    const app = await serveBothWays(() => createApp(multer()));
    const answer = await app.same((agent) =>
      agent
        .post('/one')
        .set('Content-Type', 'multipart/form-data; boundary=x')
        .send('--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf'),
    );
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text).message).toBe('Unexpected end of form');
  });

  test('hears of a client that leaves in the middle of a file', async () => {
    const errors: Error[] = [];
    let reach = (): void => {};
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const app = express();
    app.use((req, _res, next) => {
      req.once('data', reach);
      next();
    });
    const front = await serveFront(app.use(createApp(multer(), errors)));
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf');
      // Not before the application has read what there is.
      await reached;
      throw new Error('gone');
    }
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x', 'Content-Length': '100000' };
    const asking = openRequest({ origin: front.url, path: '/one', headers, body: body() });
    await expect(asking).rejects.toThrow();
    await until(() => errors.length > 0, 1_000, 'an error for the form');
    expect(errors[0]?.message).toBe('Request aborted');
  });
});
