// Express, in both versions. What differs between them is said where it does.

import type { ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { serveScgi } from '@scgi/adapter-express';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { digest } from '../support/answer-reader.js';
import type { Stage } from '../support/stage.js';
import {
  allBytes,
  cookies,
  failure,
  hello,
  helloBytes,
  hugeFields,
  large,
  manyFields,
  piecesOf,
  sampleFile,
  umlauts,
} from './content.js';
import { served, serveOverHttp, type Facts, type Kind } from './kind.js';

// Express 4 has no types of its own here; what is used is the same.
const express4: typeof express = createRequire(import.meta.url)('express4');

type Handler = (request: Request, response: Response) => unknown;

export function createExpressApp(stage: Stage, create: typeof express): Express {
  const app = create();
  app.set('env', 'production'); // In development Express shows stacks.
  const file = sampleFile(stage.folder);
  const idOf = (request: Request): string => `${request.query['id']}`;
  // Express 4 does not look at what a handler returns.
  const handle =
    (handler: Handler) =>
    (request: Request, response: Response, next: NextFunction): unknown =>
      create === express ? handler(request, response) : Promise.resolve(handler(request, response)).catch(next);

  app.use('/facts', (request, response) => response.json(factsOf(request)));
  app.all('/echo', (request, response) => {
    response.type(request.get('content-type') ?? 'application/octet-stream');
    // Who leaves in an upload has no answer coming.
    pipeline(request, response).catch(() => {});
  });
  app.post('/digest', create.raw({ type: () => true, limit: '10mb' }), (request, response) => {
    // A request without a body has none here.
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    response.json({ length: body.length, sha256: digest(body) });
  });
  app.post('/json', create.json(), (request, response) => response.json(request.body));
  app.post('/form', create.urlencoded({ extended: false }), (request, response) => response.json(request.body));
  app.post('/text', create.text(), (request, response) => response.json({ text: request.body }));
  app.get('/hello', (_, response) => response.type('text').send(hello));
  app.get('/created', (_, response) => {
    response.statusMessage = 'Made Here';
    response.status(201).set({ 'X-One': 'first', 'X-Two': 'second' }).type('text').send('made\n');
  });
  app.get('/json-answer', (_, response) => response.json({ hello: 'wörld' }));
  app.get('/umlauts', (_, response) => response.type('text').send(umlauts));
  app.get('/binary', (_, response) => response.send(allBytes));
  app.get('/large', (_, response) => {
    response.set({ 'Content-Type': 'application/octet-stream', 'Content-Length': `${large.length}` });
    Readable.from(piecesOf(large)).pipe(response);
  });
  app.get('/file', (_, response) => response.sendFile(file.name, { root: file.folder }));
  app.get('/nothing', (_, response) => response.end());
  app.get('/cookies', (_, response) => {
    for (const cookie of cookies) response.append('Set-Cookie', cookie);
    response.send(hello);
  });
  app.get('/latin1', (_, response) => response.set('X-Latin1', 'caf\xe9').send(helloBytes));
  app.get('/empty-field', (_, response) => response.set('X-Empty', '').send(hello));
  app.get('/many-fields', (_, response) => response.set(manyFields).send(hello));
  app.get('/huge-fields', (_, response) => response.set(hugeFields).send(hello));
  app.get('/no-content', (_, response) => response.status(204).end());
  app.get('/not-modified', (_, response) => response.status(304).set('ETag', '"tag"').end());
  app.get('/redirect', (_, response) => response.redirect('/hello?from=redirect'));
  app.get('/chunks', handle(sendInTwo('text/plain', {}, ['first\n', 'second\n'])));
  app.get('/unbuffered', handle(sendInTwo('text/plain', { 'X-Accel-Buffering': 'no' }, ['first\n', 'second\n'])));
  app.get('/events', handle(sendInTwo('text/event-stream', {}, ['data: 1\n\n', 'data: 2\n\n'])));
  app.get('/throw', () => {
    throw new Error(failure);
  });
  app.get(
    '/reject',
    handle(async () => Promise.reject(new Error(failure))),
  );
  app.get('/break', handle(breakOff({})));
  app.get('/break-length', handle(breakOff({ 'Content-Length': '100' })));
  app.post('/early', (_, response) => response.status(413).type('text').send('too much\n'));
  app.get(
    '/wait',
    handle(async (request, response) => {
      noteLeaving(request, response);
      await stage.after(idOf(request), 'open');
      response.send(hello);
    }),
  );
  app.get('/endless', (request, response) => {
    const timer = setInterval(() => response.write('and so on\n'), 20);
    noteLeaving(request, response).once('close', () => clearInterval(timer));
  });
  app.post(
    '/upload',
    (request, response, next) => {
      noteLeaving(request, response);
      next();
    },
    create.raw({ type: () => true, limit: '10mb' }),
  );
  app.post('/upload', (_, response) => response.send(hello));
  app.use('/upload', (_error: unknown, request: Request, response: Response, _next: NextFunction) => {
    stage.note(idOf(request), 'cut short');
    response.end();
  });

  function noteLeaving(request: Request, response: Response): ServerResponse {
    const id = idOf(request);
    stage.note(id, 'arrived');
    return response.once('close', () => {
      if (!response.writableFinished) stage.note(id, 'left');
    });
  }

  function sendInTwo(
    type: string,
    fields: Record<string, string>,
    [first, second]: readonly [string, string],
  ): Handler {
    return async (request, response) => {
      response.set(fields).type(type).write(first);
      await stage.after(idOf(request), 'open');
      response.end(second);
    };
  }

  // Express ends a connection whose head is out when an error reaches it.
  function breakOff(fields: Record<string, string>): Handler {
    return async (request, response) => {
      response.set({ ...fields, 'X-Accel-Buffering': 'no' }).write('half');
      await stage.after(idOf(request), 'open');
      throw new Error(failure);
    };
  }

  return app;
}

function factsOf(request: Request): Facts {
  return {
    method: request.method,
    url: request.originalUrl,
    address: request.ip,
    scheme: request.protocol,
    fields: request.headers,
  };
}

function expressKind(create: typeof express): Kind {
  return {
    servedBy: '@scgi/adapter-express',
    comparedWith: 'node:http',
    serveHttp: (stage) => serveOverHttp(createExpressApp(stage, create)),
    serveScgi: (stage, bind) => served(serveScgi(createExpressApp(stage, create), { bind, onError: () => {} })),
  };
}

export const express5Kind = expressKind(express);
export const express4Kind = expressKind(express4);
