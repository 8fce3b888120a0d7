// The plugins that people use with Fastify, and connect middleware by way of @fastify/middie. Data only.

import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import compress from '@fastify/compress';
import middie from '@fastify/middie';
import multipart from '@fastify/multipart';
import serveStatic from '@fastify/static';
import cors from 'cors';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { expect } from 'vitest';
import { folder, large, type Behaviour } from './fastify-behaviours.js';
import type { Question } from './two-ways.js';

writeFileSync(join(folder, 'page.txt'), '0123456789');

const part = 'Content-Disposition: form-data; name="file"; filename="f.txt"\r\nContent-Type: text/plain';
const form: Question = {
  headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  body: `--b\r\n${part}\r\n\r\n${'x'.repeat(100_000)}\r\n--b--\r\n`,
};
const withStatic = (app: FastifyInstance): unknown => app.register(serveStatic, { root: folder });

export const plugins: readonly Behaviour[] = [
  {
    what: '@fastify/multipart streams a file',
    async build(app) {
      await app.register(multipart);
      app.post('/', async (request) => {
        const file = (await request.file()) ?? expect.unreachable();
        return { name: file.filename, size: (await file.toBuffer()).length };
      });
    },
    question: form,
    expected: { text: '{"name":"f.txt","size":100000}' },
  },
  {
    what: '@fastify/multipart refuses a file that is too large',
    async build(app) {
      await app.register(multipart, { limits: { fileSize: 1000 } });
      app.post('/', async (request) => (await request.file())?.toBuffer());
    },
    question: form,
    expected: { status: 413 },
  },
  {
    what: '@fastify/static sends a file',
    build: withStatic,
    question: { path: '/page.txt' },
    expected: { status: 200, text: '0123456789', headers: { 'accept-ranges': 'bytes' } },
  },
  {
    what: '@fastify/static sends a range',
    build: withStatic,
    question: { path: '/page.txt', headers: { Range: 'bytes=2-4' } },
    expected: { status: 206, text: '234', headers: { 'content-range': 'bytes 2-4/10' } },
  },
  {
    what: '@fastify/static has no range beyond the end',
    build: withStatic,
    question: { path: '/page.txt', headers: { Range: 'bytes=20-' } },
    expected: { status: 416 },
  },
  {
    what: '@fastify/static tells HEAD the length',
    build: withStatic,
    question: { path: '/page.txt', method: 'HEAD' },
    expected: { text: '', headers: { 'content-length': '10' } },
  },
  {
    what: '@fastify/compress compresses',
    async build(app) {
      await app.register(compress);
      app.get('/', (_request, reply) => reply.type('text/plain').send(large.toString()));
    },
    question: { headers: { 'Accept-Encoding': 'gzip' } },
    expected: { status: 200, headers: { 'content-encoding': 'gzip', vary: 'accept-encoding' } },
  },
  {
    what: '@fastify/middie runs connect middleware',
    async build(app) {
      await app.register(middie);
      app.use(helmet());
      app.use(cors());
      app.get('/', async () => 'x');
    },
    expected: { headers: { 'x-frame-options': 'SAMEORIGIN', 'access-control-allow-origin': '*' } },
  },
  {
    what: '@fastify/middie lets middleware answer',
    async build(app) {
      await app.register(middie);
      app.use('/by-hand', (request: IncomingMessage & { originalUrl?: string }, response: ServerResponse) => {
        response.end(`by hand: ${request.url} ${request.originalUrl}`);
      });
    },
    question: { path: '/by-hand/x?y' },
    expected: { status: 200, text: 'by hand: /x?y /by-hand/x?y' },
  },
];
