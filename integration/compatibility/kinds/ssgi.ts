// An SSGI application: status, headers and payload are sent piece by piece, the body is asked for. SSGI has no HTTP
// server; what it answers is compared with what the bare listener answers over HTTP.

import { createReadStream } from 'node:fs';
import { serveScgi } from '@scgi/adapter-ssgi';
import type { GetHeader, SsgiApp, SsgiHttpResponse } from '@scgi/adapter-ssgi';
import { digest } from '../support/answer-reader.js';
import type { Stage } from '../support/stage.js';
import { bare } from './bare.js';
import {
  allBytes,
  cookies,
  failure,
  hello,
  hugeFields,
  large,
  manyFields,
  piecesOf,
  sampleFile,
  umlauts,
} from './content.js';
import { served, type Facts, type Kind } from './kind.js';

const octets = 'application/octet-stream';
const plain = 'text/plain; charset=utf-8';

interface Call {
  readonly facts: () => Facts;
  readonly getHeader: GetHeader;
  readonly id: string;
}

type Handler = (res: SsgiHttpResponse, call: Call) => unknown;

export function createSsgiApp(stage: Stage): SsgiApp {
  const file = sampleFile(stage.folder);
  const routes: Record<string, Handler> = {
    facts: (res, { facts }) => sendJson(res, facts()),
    echo: async (res, { getHeader }) => {
      res.sendHeaders([['Content-Type', getHeader('content-type') ?? octets]]);
      for (let chunk = await res.getChunk(); chunk !== null; chunk = await res.getChunk()) {
        if (!res.send(chunk, true)) await res.drained();
      }
      res.send(null);
    },
    digest: async (res) => {
      const body = (await res.getData()) ?? Buffer.alloc(0);
      sendJson(res, { length: body.length, sha256: digest(body) });
    },
    json: async (res) => sendJson(res, JSON.parse(`${await res.getData()}`)),
    form: async (res) => sendJson(res, Object.fromEntries(new URLSearchParams(`${await res.getData()}`).entries())),
    text: async (res) => sendJson(res, { text: `${await res.getData()}` }),
    hello: (res) => sendText(res, hello),
    created: (res) => {
      res.sendStatus('201 Made Here');
      res.sendHeaders([
        ['X-One', 'first'],
        ['X-Two', 'second'],
      ]);
      sendText(res, 'made\n');
    },
    'json-answer': (res) => sendJson(res, { hello: 'wörld' }),
    umlauts: (res) => sendText(res, umlauts),
    binary: (res) => {
      res.sendHeaders([['Content-Type', octets]]);
      res.send(allBytes);
    },
    large: async (res) => {
      res.sendHeaders([['Content-Type', octets]]);
      for (const piece of piecesOf(large)) await res.sendChunk(piece, large.length);
    },
    file: async (res) => {
      res.sendHeaders([['Content-Type', plain]]);
      for await (const piece of createReadStream(file.path)) await res.sendChunk(piece, 100_000);
    },
    nothing: (res) => res.send(null),
    cookies: (res) => {
      res.sendHeaders(cookies.map((cookie) => ['Set-Cookie', cookie] as const));
      res.send(hello);
    },
    latin1: (res) => {
      res.sendHeaders([['X-Latin1', 'caf\xe9']]);
      res.send(hello);
    },
    'empty-field': (res) => {
      res.sendHeaders([['X-Empty', '']]);
      res.send(hello);
    },
    'many-fields': (res) => {
      res.sendHeaders(Object.entries(manyFields));
      res.send(hello);
    },
    'huge-fields': (res) => {
      res.sendHeaders(Object.entries(hugeFields));
      res.send(hello);
    },
    'no-content': (res) => {
      res.sendStatus(204);
      res.send(null);
    },
    'not-modified': (res) => {
      res.sendStatus(304);
      res.sendHeaders([['ETag', '"tag"']]);
      res.send(null);
    },
    redirect: (res) => {
      res.sendStatus(302);
      res.sendHeaders([['Location', '/hello?from=redirect']]);
      res.send(null);
    },
    chunks: (res, { id }) => sendInTwo(res, id, plain, ['first\n', 'second\n']),
    unbuffered: (res, { id }) => {
      res.sendHeaders([['X-Accel-Buffering', 'no']]);
      return sendInTwo(res, id, plain, ['first\n', 'second\n']);
    },
    events: (res, { id }) => sendInTwo(res, id, 'text/event-stream', ['data: 1\n\n', 'data: 2\n\n']),
    throw: () => {
      throw new Error(failure);
    },
    reject: async () => Promise.reject(new Error(failure)),
    break: (res, { id }) => breakOff(res, id),
    'break-length': (res, { id }) => {
      res.sendHeaders([['Content-Length', 100]]);
      return breakOff(res, id);
    },
    early: (res) => {
      res.sendStatus(413);
      sendText(res, 'too much\n');
    },
    wait: async (res, { id }) => {
      stage.note(id, 'arrived');
      res.onAborted(() => stage.note(id, 'left'));
      await stage.after(id, 'open');
      if (!res.aborted) res.send(hello);
    },
    endless: (res, { id }) => {
      stage.note(id, 'arrived');
      const timer = setInterval(() => res.send('and so on\n', true), 20);
      res.onAborted(() => {
        clearInterval(timer);
        stage.note(id, 'left');
      });
    },
    upload: async (res, { id }) => {
      stage.note(id, 'arrived');
      await res.getData().catch(() => stage.note(id, 'cut short'));
      if (!res.aborted) res.send(hello);
    },
  };

  async function sendInTwo(
    res: SsgiHttpResponse,
    id: string,
    type: string,
    [first, second]: readonly [string, string],
  ): Promise<void> {
    res.sendHeaders([['Content-Type', type]]);
    res.send(first, true);
    await stage.after(id, 'open');
    res.send(second);
  }

  async function breakOff(res: SsgiHttpResponse, id: string): Promise<void> {
    res.sendHeaders([['X-Accel-Buffering', 'no']]);
    res.send('half', true);
    await stage.after(id, 'open');
    throw new Error(failure);
  }

  return (type, _serverAddress, remoteAddress, method, path, queryString, getHeader, res) => {
    if (type === 'websocket') return res.reject();
    const facts = (): Facts => ({
      method,
      url: queryString === '' ? path : `${path}?${queryString}`,
      address: remoteAddress.replace(/:\d+$/, ''),
      scheme: res.extensions.scgi.encrypted ? 'https' : 'http',
      fields: getHeader(),
    });
    const name = path.split('/')[1] ?? '';
    const handler = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (handler === undefined) {
      res.sendStatus(404);
      return sendText(res, 'not here\n');
    }
    return handler(res, { facts, getHeader, id: new URLSearchParams(queryString).get('id') ?? '' });
  };
}

function sendText(res: SsgiHttpResponse, text: string): void {
  res.sendHeaders([['Content-Type', plain]]);
  res.send(text);
}

function sendJson(res: SsgiHttpResponse, value: unknown): void {
  res.sendHeaders([['Content-Type', 'application/json']]);
  res.send(JSON.stringify(value));
}

export const ssgiKind: Kind = {
  servedBy: '@scgi/adapter-ssgi',
  comparedWith: 'the bare listener',
  serveHttp: bare.serveHttp,
  serveScgi: (stage, bind) => served(serveScgi(createSsgiApp(stage), { bind, onError: () => {} })),
};
