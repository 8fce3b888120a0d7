// A plain Fetch handler: Request in, Response out, and no framework. Over HTTP it is served by @hono/node-server.

import { createReadStream } from 'node:fs';
import { Server } from 'node:http';
import { Readable } from 'node:stream';
import { createAdaptorServer } from '@hono/node-server';
import { serveScgi } from '@scgi/adapter-fetch';
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
import { listening, served, type Facts, type Kind } from './kind.js';

const octets = 'application/octet-stream';
const plain = 'text/plain; charset=utf-8';

/** What a handler is told beside the request. */
interface Context {
  readonly remoteAddress: string | undefined;
}

type Handler = (request: Request, context: Context) => Response | Promise<Response>;

export function createFetchHandler(stage: Stage): Handler {
  const file = sampleFile(stage.folder);
  const routes: Record<string, Handler> = {
    facts: (request, context) => Response.json(factsOf(request, context)),
    echo: (request) =>
      new Response(request.body, { headers: { 'Content-Type': request.headers.get('content-type') ?? octets } }),
    digest: async (request) => {
      const body = Buffer.from(await request.arrayBuffer());
      return Response.json({ length: body.length, sha256: digest(body) });
    },
    json: async (request) => Response.json(await request.json()),
    form: async (request) => Response.json(Object.fromEntries((await request.formData()).entries())),
    text: async (request) => Response.json({ text: await request.text() }),
    hello: () => new Response(hello, { headers: { 'Content-Type': plain, 'Content-Length': `${hello.length}` } }),
    created: () =>
      new Response('made\n', {
        status: 201,
        statusText: 'Made Here',
        headers: { 'X-One': 'first', 'X-Two': 'second' },
      }),
    'json-answer': () => Response.json({ hello: 'wörld' }),
    umlauts: () => new Response(umlauts, { headers: { 'Content-Type': plain } }),
    binary: () => new Response(allBytes, { headers: { 'Content-Type': octets } }),
    large: () =>
      new Response(Readable.toWeb(Readable.from(piecesOf(large))), {
        headers: { 'Content-Type': octets, 'Content-Length': `${large.length}` },
      }),
    file: () =>
      new Response(Readable.toWeb(createReadStream(file.path)), {
        headers: { 'Content-Type': plain, 'Content-Length': '100000' },
      }),
    nothing: () => new Response(''),
    cookies: () => {
      const response = new Response(hello);
      for (const cookie of cookies) response.headers.append('Set-Cookie', cookie);
      return response;
    },
    latin1: () => new Response(helloBytes, { headers: { 'X-Latin1': 'caf\xe9' } }),
    'empty-field': () => new Response(hello, { headers: { 'X-Empty': '' } }),
    'many-fields': () => new Response(hello, { headers: manyFields }),
    'huge-fields': () => new Response(hello, { headers: hugeFields }),
    'no-content': () => new Response(null, { status: 204 }),
    'not-modified': () => new Response(null, { status: 304, headers: { ETag: '"tag"' } }),
    redirect: () => new Response(null, { status: 302, headers: { Location: '/hello?from=redirect' } }),
    chunks: (request) => sendInTwo(request, { 'Content-Type': plain }, ['first\n', 'second\n']),
    unbuffered: (request) =>
      sendInTwo(request, { 'Content-Type': plain, 'X-Accel-Buffering': 'no' }, ['first\n', 'second\n']),
    events: (request) => sendInTwo(request, { 'Content-Type': 'text/event-stream' }, ['data: 1\n\n', 'data: 2\n\n']),
    throw: () => {
      throw new Error(failure);
    },
    reject: async () => Promise.reject(new Error(failure)),
    break: (request) => breakOff(request, {}),
    'break-length': (request) => breakOff(request, { 'Content-Length': '100' }),
    early: () => new Response('too much\n', { status: 413, headers: { 'Content-Type': plain } }),
    wait: async (request) => {
      const id = idOf(request);
      request.signal.addEventListener('abort', () => stage.note(id, 'left'));
      stage.note(id, 'arrived');
      await stage.after(id, 'open');
      return new Response(hello);
    },
    endless: (request) => {
      const id = idOf(request);
      let timer: NodeJS.Timeout | undefined;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          timer = setInterval(() => controller.enqueue(Buffer.from('and so on\n')), 20);
        },
        cancel() {
          clearInterval(timer);
          stage.note(id, 'left');
        },
      });
      stage.note(id, 'arrived');
      return new Response(body);
    },
    upload: async (request) => {
      const id = idOf(request);
      stage.note(id, 'arrived');
      await request.arrayBuffer().catch(() => stage.note(id, 'cut short'));
      return new Response(hello);
    },
  };

  function sendInTwo(
    request: Request,
    headers: Record<string, string>,
    [first, second]: readonly [string, string],
  ): Response {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from(first));
        await stage.after(idOf(request), 'open');
        controller.enqueue(Buffer.from(second));
        controller.close();
      },
    });
    return new Response(body, { headers });
  }

  function breakOff(request: Request, headers: Record<string, string>): Response {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(Buffer.from('half'));
        await stage.after(idOf(request), 'open');
        controller.error(new Error(failure));
      },
    });
    return new Response(body, { headers: { ...headers, 'X-Accel-Buffering': 'no' } });
  }

  return (request, context) => {
    const name = new URL(request.url).pathname.split('/')[1] ?? '';
    const handler = Object.hasOwn(routes, name) ? routes[name] : undefined;
    return (
      handler?.(request, context) ?? new Response('not here\n', { status: 404, headers: { 'Content-Type': plain } })
    );
  };
}

function idOf(request: Request): string {
  return new URL(request.url).searchParams.get('id') ?? '';
}

function factsOf(request: Request, { remoteAddress }: Context): Facts {
  const url = new URL(request.url);
  return {
    method: request.method,
    url: request.url.slice(url.origin.length),
    address: remoteAddress,
    scheme: url.protocol.slice(0, -1),
    fields: Object.fromEntries(request.headers),
  };
}

export const fetchKind: Kind = {
  servedBy: '@scgi/adapter-fetch',
  comparedWith: '@hono/node-server',
  async serveHttp(stage) {
    const handler = createFetchHandler(stage);
    const server = createAdaptorServer({
      overrideGlobalObjects: false,
      fetch: (request, { incoming }) => handler(request, { remoteAddress: incoming.socket.remoteAddress }),
    });
    if (!(server instanceof Server)) throw new Error('not a server of node:http');
    return listening(server);
  },
  serveScgi: (stage, bind) => served(serveScgi(createFetchHandler(stage), { bind, onError: () => {} })),
};
