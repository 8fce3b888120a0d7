// Koa, in both versions. The body of a request is read by koa-body where it is parsed, and as a stream elsewhere.

import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { PassThrough, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { serveScgi } from '@scgi/adapter-koa';
import Koa, { type Context, type Middleware } from 'koa';
import { koaBody } from 'koa-body';
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

// Koa 2 has no types of its own here; what is used is the same.
const Koa2: typeof Koa = createRequire(import.meta.url)('koa2');

type Handler = (context: Context) => unknown;

export function createKoaApp(stage: Stage, Application: typeof Koa): Koa {
  const app = new Application();
  app.silent = true;
  const file = sampleFile(stage.folder);
  const parse: Middleware = koaBody();
  const parsed: Handler = async (context) => {
    await parse(context, async () => {});
    return Reflect.get(context.request, 'body');
  };
  const idOf = (context: Context): string => `${context.query['id']}`;

  const routes: Record<string, Handler> = {
    facts: (context) => (context.body = factsOf(context)),
    echo: (context) => {
      context.type = context.get('content-type') || 'application/octet-stream';
      context.body = context.req;
    },
    digest: async (context) => {
      const body = await buffer(context.req);
      context.body = { length: body.length, sha256: digest(body) };
    },
    json: async (context) => (context.body = await parsed(context)),
    form: async (context) => (context.body = await parsed(context)),
    text: async (context) => (context.body = { text: await text(context.req) }),
    hello: (context) => (context.body = hello),
    created: (context) => {
      context.status = 201;
      context.message = 'Made Here';
      context.set({ 'X-One': 'first', 'X-Two': 'second' });
      context.body = 'made\n';
    },
    'json-answer': (context) => (context.body = { hello: 'wörld' }),
    umlauts: (context) => (context.body = umlauts),
    binary: (context) => (context.body = allBytes),
    large: (context) => {
      context.body = Readable.from(piecesOf(large));
      context.length = large.length;
    },
    file: (context) => {
      context.type = 'text';
      context.body = createReadStream(file.path);
      context.length = 100_000;
    },
    nothing: (context) => (context.body = ''),
    cookies: (context) => {
      context.set('Set-Cookie', [...cookies]);
      context.body = hello;
    },
    latin1: (context) => {
      context.set('X-Latin1', 'caf\xe9');
      context.body = helloBytes;
    },
    'empty-field': (context) => {
      context.set('X-Empty', '');
      context.body = hello;
    },
    'many-fields': (context) => {
      context.set(manyFields);
      context.body = hello;
    },
    'huge-fields': (context) => {
      context.set(hugeFields);
      context.body = hello;
    },
    'no-content': (context) => (context.status = 204),
    'not-modified': (context) => {
      context.status = 304;
      context.set('ETag', '"tag"');
    },
    redirect: (context) => context.redirect('/hello?from=redirect'),
    chunks: (context) => sendInTwo(context, 'text/plain', ['first\n', 'second\n']),
    unbuffered: (context) => {
      context.set('X-Accel-Buffering', 'no');
      return sendInTwo(context, 'text/plain', ['first\n', 'second\n']);
    },
    events: (context) => sendInTwo(context, 'text/event-stream', ['data: 1\n\n', 'data: 2\n\n']),
    throw: () => {
      throw new Error(failure);
    },
    reject: async () => Promise.reject(new Error(failure)),
    break: (context) => breakOff(context),
    'break-length': (context) => {
      breakOff(context);
      context.length = 100;
    },
    early: (context) => {
      context.status = 413;
      context.body = 'too much\n';
    },
    wait: async (context) => {
      noteLeaving(context);
      await stage.after(idOf(context), 'open');
      context.body = hello;
    },
    endless: (context) => {
      noteLeaving(context);
      const body = new PassThrough();
      const timer = setInterval(() => body.write('and so on\n'), 20);
      body.once('close', () => clearInterval(timer));
      context.body = body;
    },
    upload: async (context) => {
      noteLeaving(context);
      await buffer(context.req).catch(() => stage.note(idOf(context), 'cut short'));
      context.body = hello;
    },
  };

  function noteLeaving(context: Context): void {
    const id = idOf(context);
    stage.note(id, 'arrived');
    context.res.once('close', () => {
      if (!context.res.writableFinished) stage.note(id, 'left');
    });
  }

  function sendInTwo(context: Context, type: string, [first, second]: readonly [string, string]): void {
    const body = new PassThrough();
    context.type = type;
    context.body = body;
    body.write(first);
    stage.after(idOf(context), 'open').then(() => body.end(second));
  }

  // Koa leaves a response open whose body fails after the head, over HTTP as well: whoever streams ends it himself.
  function breakOff(context: Context): void {
    const body = new PassThrough();
    context.body = body;
    context.set('X-Accel-Buffering', 'no');
    body.write('half');
    stage.after(idOf(context), 'open').then(() => {
      body.destroy(new Error(failure));
      context.res.destroy();
    });
  }

  app.use(async (context, next) => {
    const name = context.path.split('/')[1] ?? '';
    const handler = Object.hasOwn(routes, name) ? routes[name] : undefined;
    await (handler === undefined ? next() : handler(context));
  });
  return app;
}

function factsOf(context: Context): Facts {
  return {
    method: context.method,
    url: context.originalUrl,
    address: context.ip,
    scheme: context.protocol,
    fields: context.headers,
  };
}

function koaKind(Application: typeof Koa): Kind {
  return {
    servedBy: '@scgi/adapter-koa',
    comparedWith: 'node:http',
    serveHttp: (stage) => serveOverHttp(createKoaApp(stage, Application).callback()),
    serveScgi: (stage, bind) => served(serveScgi(createKoaApp(stage, Application), { bind })),
  };
}

export const koa3Kind = koaKind(Koa);
export const koa2Kind = koaKind(Koa2);
