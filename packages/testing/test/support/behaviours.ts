// Applications, and what is asked of each: the table by which `inject` is compared with a socket.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { getScgiEnv, type ServeOptions } from '@scgi/core';
import express from 'express';
import type { InjectedRequest } from '../../src/index.js';

export type Note = (...facts: unknown[]) => void;
type App = (request: IncomingMessage, response: ServerResponse, note: Note) => unknown;

export interface Behaviour {
  readonly name: string;
  readonly app: App;
  readonly request?: InjectedRequest;
  readonly options?: ServeOptions;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Writes down the events of both objects, in order. */
function watch(req: IncomingMessage, res: ServerResponse, note: Note): void {
  for (const event of ['end', 'aborted', 'error', 'close']) req.on(event, () => note(`req ${event}`, req.complete));
  for (const event of ['prefinish', 'finish', 'error', 'close']) res.on(event, () => note(`res ${event}`));
}

const upload = 'x'.repeat(300_000);

export const behaviours: readonly Behaviour[] = [
  { name: 'a body with its length', app: (_req, res) => res.end('hello') },
  { name: 'no body', app: (_req, res) => res.end() },
  { name: 'a status with a reason', app: (_req, res) => res.writeHead(404, 'Not Here').end('gone') },
  { name: 'a status of its own kind', app: (_req, res) => res.writeHead(599).end() },
  {
    name: 'target, method and version',
    app: (req, res, note) => {
      note(req.method, req.url, req.httpVersion);
      res.end();
    },
    request: { method: 'PUT', url: '/a%20b/../c?d=%2F&e' },
  },
  {
    name: 'fields as they were sent',
    app: (req, res, note) => {
      note(req.headers, req.rawHeaders, req.headersDistinct);
      res.end();
    },
    request: { headers: ['Host', 'a.test', 'X-A', '1', 'X-A', '2', 'Cookie', 'a=1', 'Cookie', 'b=2'] },
  },
  {
    name: 'who is at the other end',
    app: ({ socket }, res, note) => {
      note(socket.remoteAddress, socket.remotePort, socket.remoteFamily, socket.localAddress, socket.localPort);
      note('encrypted' in socket && socket.encrypted, socket.address());
      res.end();
    },
    request: { https: true, remoteAddress: '192.0.2.7' },
  },
  {
    name: 'the variables',
    app: (req, res, note) => {
      note(getScgiEnv(req));
      res.end();
    },
    request: { variables: { REMOTE_USER: 'ann', REQUEST_SCHEME: undefined } },
  },
  {
    name: 'a request body',
    app: async (req, res, note) => {
      watch(req, res, note);
      res.end(`got ${await text(req)}`);
    },
    request: { body: 'a=1' },
  },
  {
    name: 'a large request body, echoed',
    app: (req, res) => req.pipe(res),
    request: { body: upload },
  },
  {
    name: 'JSON to Express',
    app: express()
      .use(express.json())
      .post('/:id', (req, res) => void res.status(201).json({ id: req.params['id'], got: req.body, ip: req.ip })),
    request: { url: '/7', json: { n: [1, 'ü'] } },
  },
  {
    name: 'an error handler of Express',
    app: express()
      .get('/', () => {
        throw new Error('told');
      })
      .use(
        ((error, _req, res, _next) => void res.status(418).send(String(error))) satisfies express.ErrorRequestHandler,
      ),
  },
  { name: 'a redirect of Express', app: express().get('/', (_req, res) => res.redirect('/b')) },
  { name: 'nothing found by Express', app: (req, res) => express()(req, res), request: { url: '/nowhere' } },
  { name: 'HEAD', app: (_req, res) => res.end('not sent'), request: { method: 'HEAD' } },
  { name: '204', app: (_req, res) => res.writeHead(204).end() },
  { name: '304 with a length', app: (_req, res) => res.writeHead(304, { 'Content-Length': 10 }).end() },
  {
    name: 'repeated fields',
    app: (_req, res) => {
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.writeHead(200, ['X-A', '1', 'X-A', '2']).end();
    },
  },
  {
    name: 'hop-by-hop fields, which do not go out',
    app: (_req, res) => {
      res.setHeader('Connection', 'close').setHeader('Keep-Alive', 'timeout=5').setHeader('Trailer', 'X-T');
      res.write('a');
      res.addTrailers({ 'X-T': '1' });
      res.end();
    },
  },
  {
    name: 'a streamed body without a length',
    app: (_req, res) => {
      res.write('one ');
      setImmediate(() => res.end('two'));
    },
  },
  { name: 'a stream piped in', app: (_req, res) => Readable.from(['a', 'b', 'c']).pipe(res) },
  {
    name: 'interim responses',
    app: (_req, res) => {
      res.writeContinue();
      res.writeEarlyHints({ link: '</a.css>; rel=preload' });
      res.writeProcessing();
      res.end('final');
    },
  },
  {
    name: 'events of a whole exchange',
    app: (req, res, note) => {
      watch(req, res, note);
      req.resume().on('end', () => res.end('done', () => note('end callback', res.writableFinished, res.headersSent)));
    },
    request: { body: 'abc' },
  },
  {
    name: 'an application that throws',
    app: () => {
      throw new Error('thrown');
    },
  },
  { name: 'an application that rejects', app: () => Promise.reject(new Error('rejected')) },
  {
    name: 'an application that throws behind the head',
    app: (_req, res) => {
      res.write('half');
      throw new Error('thrown');
    },
  },
  {
    name: 'fewer bytes than promised',
    app: (_req, res) => {
      res.writeHead(200, { 'Content-Length': 10 });
      res.write('half');
      setImmediate(() => res.end());
    },
  },
  {
    name: 'a response that is destroyed before its head',
    app: (req, res, note) => {
      watch(req, res, note);
      res.destroy();
    },
  },
  {
    name: 'a response that is destroyed in its body',
    app: (req, res, note) => {
      watch(req, res, note);
      res.write('half', () => res.destroy());
    },
  },
  {
    name: 'a request that is destroyed',
    app: (req, res, note) => {
      watch(req, res, note);
      req.destroy();
    },
  },
  {
    name: 'an answer to a body that nobody reads',
    app: (_req, res) => res.writeHead(413).end('too much'),
    request: { body: upload },
  },
  {
    name: 'a body with bytes behind it',
    app: async (req, res) => res.end(await text(req)),
    request: { body: 'abc' },
  },
  { name: 'a target outside of the base path', app: (_req, res) => res.end(), options: { basePath: '/app' } },
  {
    name: 'a target inside of the base path',
    app: (req, res) => res.end(`${req.url}`),
    request: { url: '/app/x?y' },
    options: { basePath: '/app' },
  },
  {
    name: 'a body that is larger than allowed',
    app: (_req, res) => res.end(),
    request: { body: 'abcdef' },
    options: { maxBodyBytes: 3 },
  },
  {
    name: 'variables that are no HTTP request',
    app: (_req, res) => res.end(),
    request: { variables: { REQUEST_METHOD: undefined } },
  },
  { name: 'CONNECT', app: (_req, res) => res.end(), request: { variables: { REQUEST_METHOD: 'CONNECT' } } },
  {
    name: 'a field that cannot be',
    app: (_req, res, note) => {
      try {
        res.setHeader('X-A', 'a\nb');
      } catch (error) {
        note(codeOf(error));
      }
      res.end();
    },
  },
  {
    name: 'a time-out of the request',
    app: (req, res, note) => {
      req.setTimeout(20, () => {
        note('timeout');
        res.writeHead(503).end();
      });
    },
  },
  {
    name: 'back-pressure of a large write',
    app: (_req, res, note) => {
      note(res.write(Buffer.alloc(8_000_000)), res.writableNeedDrain);
      res.once('drain', () => {
        note('drain');
        res.end();
      });
    },
  },
  {
    name: 'corked writes',
    app: (_req, res) => {
      res.cork();
      res.write('a');
      res.write('b');
      res.uncork();
      res.end('c');
    },
  },
  {
    name: 'text in another encoding',
    app: (_req, res) => {
      res.write('ü', 'latin1');
      res.end('fc', 'hex');
    },
  },
  {
    name: 'an event stream',
    app: (_req, res) => res.writeHead(200, { 'Content-Type': 'text/event-stream' }).end('data: 1\n\n'),
  },
];
