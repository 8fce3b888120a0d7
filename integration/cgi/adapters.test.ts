// The same folder of programs in every kind of application, each behind nginx by its own adapter: mounted where the
// framework mounts things, programs see where they are, and what is no program is the application's.

import { serveScgi as serveExpress } from '@scgi/adapter-express';
import { serveScgi as serveFastify } from '@scgi/adapter-fastify';
import { type FetchContext, serveScgi as serveFetch } from '@scgi/adapter-fetch';
import { serveScgi as serveKoa } from '@scgi/adapter-koa';
import { serveScgi as serveSsgi } from '@scgi/adapter-ssgi';
import { cgiDirectory, type CgiDirectoryOptions } from '@scgi/cgi';
import { type RunningServer, serveScgi } from '@scgi/core';
import middie from '@fastify/middie';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { chmodSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions } from '../support/http-client.js';
import { type ApacheStage, test } from './support/site.js';

const head = 'echo Content-Type: text/plain; echo';

const programs = {
  where: `${head}; echo "$SCRIPT_NAME|$PATH_INFO|$QUERY_STRING|$REQUEST_URI|$REMOTE_ADDR|$REMOTE_USER|$HTTP_X_FIELD"`,
  count: `${head}; echo "$CONTENT_LENGTH"; wc -c | tr -d ' '`,
  local: `echo "Location: \${SCRIPT_NAME%local}where/there?by=local"; echo`,
  failing: 'echo garbage',
};

interface Kind {
  /** Where the programs are. */
  readonly mount: string;
  serve(folder: string, options: CgiDirectoryOptions, bind: string): Promise<RunningServer>;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** A listener of programs, and 'app' for all that is none. */
function alone(folder: string, options: CgiDirectoryOptions): Listener {
  const listener = cgiDirectory(folder, options);
  return (request, response) => listener(request, response, () => response.writeHead(404).end('app'));
}

const kinds: Readonly<Record<string, Kind>> = {
  'the listener itself, with a mount of its own': {
    mount: '/cgi-bin',
    serve: (folder, options, bind) => serveScgi(alone(folder, { ...options, mount: '/cgi-bin' }), { bind }),
  },
  'the listener below a base path': {
    mount: '/base',
    serve: (folder, options, bind) => serveScgi(alone(folder, options), { bind, basePath: '/base' }),
  },
  Express: {
    mount: '/cgi-bin',
    serve(folder, options, bind) {
      const app = express();
      app.use('/cgi-bin', cgiDirectory(folder, options));
      app.use((_, response) => void response.status(404).send('app'));
      return serveExpress(app, { bind });
    },
  },
  'a router in a router of Express': {
    mount: '/a/b',
    serve(folder, options, bind) {
      const router = express.Router().use('/b', cgiDirectory(folder, options));
      const app = express().use('/a', router);
      app.use((_, response) => void response.status(404).send('app'));
      return serveExpress(app, { bind });
    },
  },
  'Fastify with middie': {
    mount: '/cgi-bin',
    async serve(folder, options, bind) {
      const app = Fastify();
      await app.register(middie);
      app.use('/cgi-bin', cgiDirectory(folder, options));
      app.setNotFoundHandler((_, reply) => void reply.code(404).send('app'));
      return serveFastify(app, { bind });
    },
  },
  Koa: {
    mount: '/cgi-bin',
    serve(folder, options, bind) {
      const app = new Koa();
      app.use(cgiDirectory(folder, { ...options, mount: '/cgi-bin' }).koa);
      app.use((ctx) => {
        ctx.status = 404;
        ctx.body = 'app';
      });
      return serveKoa(app, { bind });
    },
  },
  "SSGI's pick of Node's interface": {
    mount: '/cgi-bin',
    serve(folder, options, bind) {
      const listener = alone(folder, { ...options, mount: '/cgi-bin' });
      return serveSsgi({ getSupported: () => ({ http: ['node', listener] }) }, { bind });
    },
  },
  'Fetch, in Hono': {
    mount: '/cgi-bin',
    serve(folder, options, bind) {
      const { fetch } = cgiDirectory(folder, { ...options, mount: '/cgi-bin' });
      const app = new Hono<{ Bindings: FetchContext }>();
      app.all('/cgi-bin/*', async (c) => {
        const answer = await fetch(c.req.raw, c.env);
        return answer.status === 404 ? c.text('app', 404) : answer;
      });
      return serveFetch(app, { bind });
    },
  },
};

describe.each(Object.entries(kinds))('programs in %s', (_, { mount, serve }) => {
  describeWith('nginx', 'behind nginx', () => {
    async function start(stage: ApacheStage): Promise<Started> {
      const folder = stage.folder();
      for (const [name, source] of Object.entries(programs)) {
        writeFileSync(join(folder, name), `#!/bin/sh\n${source}\n`);
        chmodSync(join(folder, name), 0o755);
      }
      const errors: string[] = [];
      const options: CgiDirectoryOptions = { onError: ({ code }) => void errors.push(code), onErrorOutput: () => {} };
      const { address: to } = stage.adopt(await serve(folder, options, stage.freeAddress('unix')));
      const { origin } = await stage.nginx({ to, params: { REMOTE_USER: 'ada' } });
      const ask: Started['ask'] = async (path, more = {}) => {
        const { status, text } = await httpRequest({ origin, path: mount + path, ...more });
        return { status, text };
      };
      return { ask, errors };
    }

    test('see where they are, and what the front end vouches for', async ({ stage }) => {
      const { ask } = await start(stage);
      const { text } = await ask('/where/a%20b//c?x=1&y', { headers: { 'X-Field': 'yes' } });
      expect(text).toBe(`${mount}/where|/a b/c|x=1&y|${mount}/where/a%20b//c?x=1&y|127.0.0.1|ada|yes\n`);
    });

    test('take a large body', async ({ stage }) => {
      const { ask } = await start(stage);
      expect((await ask('/count', { body: Buffer.alloc(1_000_000) })).text).toBe('1000000\n1000000\n');
      expect((await ask('/count')).text).toBe('\n0\n');
    });

    test('redirect to each other', async ({ stage }) => {
      const { ask } = await start(stage);
      const { text } = await ask('/local?here', { body: 'gone' });
      expect(text).toBe(`${mount}/where|/there|by=local|${mount}/local?here|127.0.0.1|ada|\n`);
    });

    test('leave what they are not to the application', async ({ stage }) => {
      const { ask, errors } = await start(stage);
      expect(await ask('/missing')).toEqual({ status: 404, text: 'app' });
      expect(errors.filter((code) => code !== 'ERR_SCGI_PROGRAM_NOT_FOUND')).toEqual([]);
    });

    test('fail with a status, and the reason in the log', async ({ stage }) => {
      const { ask, errors } = await start(stage);
      expect(await ask('/failing', { body: 'x' })).toEqual({ status: 502, text: '502 Bad Gateway\n' });
      expect(errors).toEqual(['ERR_SCGI_RESPONSE_HEAD']);
    });
  });
});

interface Started {
  readonly ask: (
    path: string,
    more?: Partial<HttpRequestOptions>,
  ) => Promise<{ readonly status: number; readonly text: string }>;
  readonly errors: readonly string[];
}
