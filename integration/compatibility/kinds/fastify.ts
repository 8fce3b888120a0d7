// Fastify 5 with its own parsers; @fastify/static sends the file.

import { Readable, PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fastifyStatic from '@fastify/static';
import { serveScgi } from '@scgi/adapter-fastify';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
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

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

const plain = 'text/plain; charset=utf-8';

export async function createFastifyApp(stage: Stage): Promise<FastifyInstance> {
  const app = Fastify({ bodyLimit: 10_000_000 });
  // Fastify reads JSON and text by itself; forms take a parser, and of the rest the handlers get the stream.
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  const file = sampleFile(stage.folder);
  await app.register(fastifyStatic, { root: file.folder, serve: false });

  app.all('/facts', (request, reply) => reply.send(factsOf(request)));
  app.all('/facts*', (request, reply) => reply.send(factsOf(request)));
  app.all('/echo', (request, reply) => {
    // Fastify ends a response whose stream fails; who leaves in an upload has no answer coming.
    reply.type(request.headers['content-type'] ?? 'application/octet-stream').send(request.body ?? '');
  });
  app.post('/digest', async (request) => {
    const body = request.body instanceof Readable ? await buffer(request.body) : Buffer.from(`${request.body ?? ''}`);
    return { length: body.length, sha256: digest(body) };
  });
  app.post('/json', async (request) => request.body);
  app.post('/form', async (request) => request.body);
  app.post('/text', async (request) => ({ text: request.body }));

  const routes: Record<string, Handler> = {
    hello: (_, reply) => reply.type(plain).send(hello),
    created: (_, reply) => {
      reply.raw.statusMessage = 'Made Here';
      reply.code(201).headers({ 'X-One': 'first', 'X-Two': 'second' }).type(plain).send('made\n');
    },
    'json-answer': (_, reply) => reply.send({ hello: 'wörld' }),
    umlauts: (_, reply) => reply.type(plain).send(umlauts),
    binary: (_, reply) => reply.send(allBytes),
    large: (_, reply) => reply.header('Content-Length', large.length).send(Readable.from(piecesOf(large))),
    file: (_, reply) => reply.sendFile(file.name),
    nothing: (_, reply) => reply.send(),
    cookies: (_, reply) => {
      for (const cookie of cookies) reply.header('Set-Cookie', cookie);
      reply.send(hello);
    },
    latin1: (_, reply) => reply.header('X-Latin1', 'caf\xe9').send(helloBytes),
    'empty-field': (_, reply) => reply.header('X-Empty', '').send(hello),
    'many-fields': (_, reply) => reply.headers(manyFields).send(hello),
    'huge-fields': (_, reply) => reply.headers(hugeFields).send(hello),
    'no-content': (_, reply) => reply.code(204).send(),
    'not-modified': (_, reply) => reply.code(304).header('ETag', '"tag"').send(),
    redirect: (_, reply) => reply.redirect('/hello?from=redirect'),
    chunks: (request, reply) => sendInTwo(request, reply.type(plain), ['first\n', 'second\n']),
    unbuffered: (request, reply) =>
      sendInTwo(request, reply.type(plain).header('X-Accel-Buffering', 'no'), ['first\n', 'second\n']),
    events: (request, reply) => sendInTwo(request, reply.type('text/event-stream'), ['data: 1\n\n', 'data: 2\n\n']),
    throw: () => {
      throw new Error(failure);
    },
    reject: async () => Promise.reject(new Error(failure)),
    break: (request, reply) => breakOff(request, reply),
    'break-length': (request, reply) => breakOff(request, reply.header('Content-Length', 100)),
    wait: async (request, reply) => {
      noteLeaving(request, reply);
      await stage.after(idOf(request), 'open');
      return hello;
    },
    endless: (request, reply) => {
      noteLeaving(request, reply);
      const body = new PassThrough();
      const timer = setInterval(() => body.write('and so on\n'), 20);
      body.once('close', () => clearInterval(timer));
      return reply.send(body);
    },
  };
  for (const [path, handler] of Object.entries(routes)) app.get(`/${path}`, handler);
  app.post('/early', (_, reply) => reply.code(413).type(plain).send('too much\n'));
  app.post('/upload', async (request, reply) => {
    noteLeaving(request, reply);
    if (request.body instanceof Readable) {
      await buffer(request.body).catch(() => stage.note(idOf(request), 'cut short'));
    }
    return hello;
  });

  function noteLeaving(request: FastifyRequest, reply: FastifyReply): void {
    const id = idOf(request);
    stage.note(id, 'arrived');
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) stage.note(id, 'left');
    });
  }

  function sendInTwo(
    request: FastifyRequest,
    reply: FastifyReply,
    [first, second]: readonly [string, string],
  ): unknown {
    const body = new PassThrough();
    body.write(first);
    stage.after(idOf(request), 'open').then(() => body.end(second));
    return reply.send(body);
  }

  function breakOff(request: FastifyRequest, reply: FastifyReply): unknown {
    const body = new PassThrough();
    body.write('half');
    stage.after(idOf(request), 'open').then(() => body.destroy(new Error(failure)));
    return reply.header('X-Accel-Buffering', 'no').send(body);
  }

  return app;
}

function idOf({ query }: FastifyRequest): string {
  return typeof query === 'object' && query !== null ? `${Reflect.get(query, 'id')}` : '';
}

function factsOf(request: FastifyRequest): Facts {
  return {
    method: request.method,
    url: request.url,
    address: request.ip,
    scheme: request.protocol,
    fields: request.headers,
  };
}

export const fastifyKind: Kind = {
  servedBy: '@scgi/adapter-fastify',
  comparedWith: 'node:http',
  async serveHttp(stage) {
    const app = await createFastifyApp(stage);
    await app.ready();
    return serveOverHttp(app.routing, () => app.close());
  },
  async serveScgi(stage, bind) {
    return served(serveScgi(await createFastifyApp(stage), { bind }));
  },
};
