// The bare listener: `(request, response)` and nothing else, as for `http.createServer`.

import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { serveScgi } from '@scgi/core';
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
import { served, serveOverHttp, type Facts, type Kind, type Listener } from './kind.js';

const octets = 'application/octet-stream';
const plain = 'text/plain; charset=utf-8';

type Handler = (request: IncomingMessage, response: ServerResponse, id: string) => unknown;

export function createBareListener(stage: Stage): Listener {
  const file = sampleFile(stage.folder);
  const routes: Record<string, Handler> = {
    facts: (request, response) => sendJson(response, factsOf(request)),
    echo: async (request, response) => {
      response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? octets });
      // Who leaves in an upload has no answer coming.
      await pipeline(request, response).catch(() => {});
    },
    digest: async (request, response) => {
      const body = await readBytes(request);
      sendJson(response, { length: body.length, sha256: digest(body) });
    },
    json: async (request, response) => sendJson(response, JSON.parse(await text(request))),
    form: async (request, response) =>
      sendJson(response, Object.fromEntries(new URLSearchParams(await text(request)).entries())),
    text: async (request, response) => sendJson(response, { text: await text(request) }),
    hello: (_, response) =>
      response.writeHead(200, { 'Content-Type': plain, 'Content-Length': hello.length }).end(hello),
    created: (_, response) =>
      response
        .writeHead(201, 'Made Here', { 'Content-Type': plain, 'X-One': 'first', 'X-Two': 'second' })
        .end('made\n'),
    'json-answer': (_, response) => sendJson(response, { hello: 'wörld' }),
    umlauts: (_, response) => response.writeHead(200, { 'Content-Type': plain }).end(umlauts),
    binary: (_, response) => response.writeHead(200, { 'Content-Type': octets }).end(allBytes),
    large: (_, response) => {
      response.writeHead(200, { 'Content-Type': octets, 'Content-Length': large.length });
      return pipeline(Readable.from(piecesOf(large)), response).catch(() => {});
    },
    file: (_, response) => {
      response.writeHead(200, { 'Content-Type': plain, 'Content-Length': 100_000 });
      return pipeline(createReadStream(file.path), response).catch(() => {});
    },
    nothing: (_, response) => response.writeHead(200, { 'Content-Length': 0 }).end(),
    cookies: (_, response) => response.setHeader('Set-Cookie', cookies).end(hello),
    latin1: (_, response) => response.setHeader('X-Latin1', 'caf\xe9').end(helloBytes),
    'empty-field': (_, response) => response.setHeader('X-Empty', '').end(hello),
    'many-fields': (_, response) => response.writeHead(200, manyFields).end(hello),
    'huge-fields': (_, response) => response.writeHead(200, hugeFields).end(hello),
    'no-content': (_, response) => response.writeHead(204).end(),
    'not-modified': (_, response) => response.writeHead(304, { ETag: '"tag"' }).end(),
    redirect: (_, response) => response.writeHead(302, { Location: '/hello?from=redirect' }).end(),
    chunks: (_, response, id) => sendInTwo(response, id, { 'Content-Type': plain }, ['first\n', 'second\n']),
    unbuffered: (_, response, id) =>
      sendInTwo(response, id, { 'Content-Type': plain, 'X-Accel-Buffering': 'no' }, ['first\n', 'second\n']),
    events: (_, response, id) =>
      sendInTwo(response, id, { 'Content-Type': 'text/event-stream' }, ['data: 1\n\n', 'data: 2\n\n']),
    throw: () => {
      throw new Error(failure);
    },
    reject: async () => Promise.reject(new Error(failure)),
    break: (_, response, id) => breakOff(response, id, {}),
    'break-length': (_, response, id) => breakOff(response, id, { 'Content-Length': 100 }),
    early: (_, response) => response.writeHead(413, { 'Content-Type': plain }).end('too much\n'),
    wait: async (_, response, id) => {
      noteLeaving(response, id);
      await stage.after(id, 'open');
      response.end(hello);
    },
    endless: (_, response, id) => {
      const timer = setInterval(() => response.write('and so on\n'), 20);
      noteLeaving(response, id).once('close', () => clearInterval(timer));
    },
    upload: async (request, response, id) => {
      noteLeaving(response, id);
      await readBytes(request).catch(() => stage.note(id, 'cut short'));
      response.end(hello);
    },
  };

  function noteLeaving(response: ServerResponse, id: string): ServerResponse {
    stage.note(id, 'arrived');
    return response.once('close', () => {
      if (!response.writableFinished) stage.note(id, 'left');
    });
  }

  async function sendInTwo(
    response: ServerResponse,
    id: string,
    fields: Record<string, string>,
    [first, second]: readonly [string, string],
  ): Promise<void> {
    response.writeHead(200, fields);
    response.write(first);
    await stage.after(id, 'open');
    response.end(second);
  }

  async function breakOff(response: ServerResponse, id: string, fields: Record<string, number>): Promise<void> {
    response.writeHead(200, { ...fields, 'X-Accel-Buffering': 'no' });
    response.write('half');
    await stage.after(id, 'open');
    response.destroy(new Error(failure));
  }

  return (request, response) => {
    const [path = '', query] = (request.url ?? '').split('?');
    const name = path.split('/')[1] ?? '';
    const handler = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (handler === undefined) return response.writeHead(404, { 'Content-Type': plain }).end('not here\n');
    return handler(request, response, new URLSearchParams(query).get('id') ?? '');
  };
}

function factsOf(request: IncomingMessage): Facts {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    address: request.socket.remoteAddress,
    scheme: Reflect.get(request.socket, 'encrypted') === true ? 'https' : 'http',
    fields: request.headers,
  };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** http.createServer ends the process when a listener fails. What users write around theirs, and ours does: */
function guarded(listener: Listener): Listener {
  return async (request, response) => {
    try {
      await listener(request, response);
    } catch {
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end('Internal Server Error\n');
    }
  };
}

export const bare: Kind = {
  servedBy: '@scgi/core',
  comparedWith: 'node:http',
  serveHttp: (stage) => serveOverHttp(guarded(createBareListener(stage))),
  serveScgi: (stage, bind) => served(serveScgi(createBareListener(stage), { bind, onError: () => {} })),
};
