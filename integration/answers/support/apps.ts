// One application in each framework, with the same routes: /redirect leads to another page, /evil to another site, /file/…
// is a file below `root`. Where the framework lets it, a wrapper adds a cookie behind the handler, as sessions do.

import { createRequire } from 'node:module';
import {
  localRedirect as redirectExpress,
  sendfile as sendExpress,
  serveScgi as serveExpress,
} from '@scgi/adapter-express';
import {
  localRedirect as redirectFastify,
  sendfile as sendFastify,
  serveScgi as serveFastify,
} from '@scgi/adapter-fastify';
import { localRedirect as redirectFetch, sendfile as sendFetch, serveScgi as serveFetch } from '@scgi/adapter-fetch';
import { localRedirect as redirectKoa, sendfile as sendKoa, serveScgi as serveKoa } from '@scgi/adapter-koa';
import { localRedirect, type RunningServer, sendfile, serveScgi, type ServeOptions } from '@scgi/core';
import express from 'express';
import Fastify from 'fastify';
import { H3 } from 'h3';
import { Hono } from 'hono';
import Koa from 'koa';

const require = createRequire(import.meta.url);
const express4: typeof express = require('express4');
const Koa2: typeof Koa = require('koa2');

export interface AnsweringApp {
  readonly name: string;
  /** A cookie is added behind the handler. */
  readonly addsLate: boolean;
  serve(root: string, options: ServeOptions & { readonly onError: (error: unknown) => void }): Promise<RunningServer>;
}

const late = 'late=1';
export const target = '/page 2?q=é';

export const apps: readonly AnsweringApp[] = [
  {
    name: 'a listener',
    addsLate: false,
    serve: (root, options) =>
      serveScgi((request, response) => {
        const url = request.url ?? '';
        response.setHeader('X-App', 'here');
        if (url === '/redirect') return localRedirect(response, target);
        if (url === '/evil') return localRedirect(response, '//evil.test/');
        return sendfile(response, decodeURIComponent(url.slice('/file/'.length)), { root, type: 'text/x' });
      }, options),
  },
  ...[express, express4].map((framework, index): AnsweringApp => ({
    name: `Express ${5 - index}`,
    addsLate: false,
    serve(root, options) {
      const app = framework();
      app.disable('x-powered-by');
      app.use((_, response, next) => (response.set('X-App', 'here'), next()));
      app.all('/redirect', (_, response) => redirectExpress(response, target));
      app.all('/evil', (_, response) => redirectExpress(response, '//evil.test/'));
      app.all('/file/:name', (request, response, next) => {
        response.type('text/x');
        sendExpress(response, request.params.name, { root }).catch(next);
      });
      const onFailure: express.ErrorRequestHandler = (error, _request, response, next) => {
        options.onError(error);
        if (response.headersSent) next(error);
        else response.sendStatus(500);
      };
      app.use(onFailure);
      return serveExpress(app, options);
    },
  })),
  ...[Koa, Koa2].map((Framework, index): AnsweringApp => ({
    name: `Koa ${3 - index}`,
    addsLate: true,
    serve(root, options) {
      const app = new Framework();
      app.on('error', options.onError);
      app.use(async (ctx, next) => {
        ctx.set('X-App', 'here');
        await next();
        ctx.append('Set-Cookie', late);
      });
      app.use(async (ctx) => {
        if (ctx.path === '/redirect') redirectKoa(ctx, target);
        else if (ctx.path === '/evil') redirectKoa(ctx, '//evil.test/');
        else await sendKoa(ctx, decodeURIComponent(ctx.path.slice('/file/'.length)), { root, type: 'text/x' });
      });
      return serveKoa(app, options);
    },
  })),
  {
    name: 'Fastify',
    addsLate: true,
    serve(root, options) {
      const app = Fastify();
      app.addHook('onSend', async (_, reply) => void reply.header('Set-Cookie', late));
      app.addHook('onError', async (_request, _reply, error) => options.onError(error));
      app.addHook('onRequest', async (_, reply) => void reply.header('X-App', 'here'));
      app.all('/redirect', (_, reply) => redirectFastify(reply, target));
      app.all('/evil', async (_, reply) => redirectFastify(reply, '//evil.test/'));
      app.all<{ Params: { name: string } }>('/file/:name', (request, reply) =>
        sendFastify(reply, request.params.name, { root, type: 'text/x' }),
      );
      return serveFastify(app, options);
    },
  },
  {
    name: 'Hono',
    addsLate: true,
    serve(root, options) {
      const app = new Hono();
      app.use(async (c, next) => {
        await next();
        c.header('Set-Cookie', late, { append: true });
        c.header('X-App', 'here');
      });
      app.all('/redirect', (c) => redirectFetch(c, target));
      app.all('/evil', (c) => redirectFetch(c, '//evil.test/'));
      app.all('/file/:name', (c) => sendFetch(c, c.req.param('name'), { root, type: 'text/x' }));
      app.onError((error, c) => (options.onError(error), c.text('failed', 500)));
      return serveFetch(app, options);
    },
  },
  {
    name: 'h3',
    addsLate: false,
    serve(root, options) {
      const app = new H3({ silent: true, onError: (error) => options.onError(error.cause ?? error) });
      app.use((event) => void event.res.headers.set('X-App', 'here'));
      app.all('/redirect', (event) => redirectFetch(event, target));
      app.all('/evil', (event) => redirectFetch(event, '//evil.test/'));
      app.all('/file/:name', (event) =>
        sendFetch(event, decodeURIComponent(event.context.params?.['name'] ?? ''), { root, type: 'text/x' }),
      );
      return serveFetch(app, options);
    },
  },
];
