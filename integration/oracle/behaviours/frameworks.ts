// What frameworks and tools do to requests and responses: Express, Koa, Fastify, compression, tracing.
import { AsyncLocalStorage } from 'node:async_hooks';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import { Readable, Stream } from 'node:stream';
import { createGzip } from 'node:zlib';
import { invoke, peek, type BehaviourTable } from '../support/behaviour.js';

export const frameworks: BehaviourTable = {
  'swapping prototypes as Express does keeps every method': {
    request: { method: 'POST', body: 'body' },
    listener(req, res, log) {
      const request = Object.create(http.IncomingMessage.prototype, { app: { value: 'app' } });
      const response = Object.create(http.ServerResponse.prototype, { app: { value: 'app' } });
      Object.setPrototypeOf(req, request);
      Object.setPrototypeOf(res, response);
      log.watch(req, 'req', 'end', 'close');
      log.watch(res, 'res', 'finish', 'close');
      log.value('app', [peek(req, 'app'), peek(res, 'app')]);
      log.value('url', [req.url, req.headers.host]);
      res.setHeader('X-Powered-By', 'Express');
      req.pipe(res);
    },
  },
  'swapped prototypes still keep hop-by-hop fields and interim responses away': {
    listener(_req, res, log) {
      Object.setPrototypeOf(res, Object.create(http.ServerResponse.prototype));
      res.writeEarlyHints({ link: '</a>; rel=preload' });
      res.writeContinue();
      res.setHeader('Connection', 'close');
      res.setHeader('Transfer-Encoding', 'chunked');
      res.write('one ');
      log.value('headersSent', res.headersSent);
      res.end('two');
    },
    allowed: ['interim responses'],
  },
  'swapped prototypes flush the head at once': {
    async listener(_req, res, log) {
      Object.setPrototypeOf(res, Object.create(http.ServerResponse.prototype));
      res.writeHead(200, { 'Content-Type': 'text/plain' });
      res.flushHeaders();
      await log.until('the client has the head');
      res.end('body');
    },
    async client({ client, log }) {
      client.send();
      await client.headReceived();
      log.note('the client has the head');
      return client.answer();
    },
  },
  'wrapping writeHead as on-headers does sees every head': {
    listener(_req, res, log) {
      const { writeHead } = res;
      Reflect.set(res, 'writeHead', (...args: unknown[]) => {
        log.value('writeHead', args);
        res.setHeader('X-Late', '1');
        return Reflect.apply(writeHead, res, args);
      });
      res.end('body');
    },
  },
  'wrapping write and end as compression does compresses the body': {
    async listener(_req, res) {
      const { write, end } = res;
      const gzip = createGzip();
      gzip.on('data', (chunk: Buffer) => Reflect.apply(write, res, [chunk]));
      gzip.on('end', () => Reflect.apply(end, res, []));
      Reflect.set(res, 'write', (chunk: unknown) => gzip.write(chunk));
      Reflect.set(res, 'end', (chunk: unknown) => gzip.end(chunk));
      res.setHeader('Content-Encoding', 'gzip');
      res.write('compressed '.repeat(100));
      res.end('to the end');
    },
  },
  'the checks of on-finished hold before and after': {
    async listener(req, res, log) {
      const checks = (): unknown => [
        peek(res, 'finished'),
        req.socket.writable,
        req.socket.readable,
        req.complete,
        peek(req, 'upgrade'),
      ];
      log.value('before', checks());
      res.end('body');
      log.value('after end', [peek(res, 'finished')]);
      await once(res, 'close');
      log.value('after close', [peek(res, 'finished'), req.complete]);
    },
  },
  'the checks of Koa hold': {
    listener(req, res, log) {
      res.statusCode = 404;
      const writable = !res.writableEnded && (res.socket?.writable ?? true);
      log.value('ctx.writable', writable);
      log.value('ctx.headerSent', res.headersSent);
      log.value('ctx.protocol', peek(req.socket, 'encrypted') === true ? 'https' : 'http');
      log.value('version', req.httpVersionMajor < 2);
      log.value('is a stream', [res instanceof Stream, req instanceof Stream]);
      res.end('Not Found');
    },
  },
  'a Fastify reply of a stream is sent': {
    listener(req, res, log) {
      log.watch(req, 'req', 'close');
      res.writeHead(200, { 'content-type': 'application/octet-stream' });
      const payload = Readable.from(['one ', 'two ', 'three']);
      payload.on('error', (error) => log.value('payload', error));
      payload.pipe(res);
    },
  },
  'session middleware can hold end back': {
    listener(_req, res, log) {
      const { end } = res;
      Reflect.set(res, 'end', (...args: unknown[]) => {
        log.note('end is held back');
        setImmediate(() => {
          res.setHeader('Set-Cookie', 'session=1');
          Reflect.apply(end, res, args);
        });
        return res;
      });
      res.end('body');
    },
  },
  'body parsers can read by Content-Length': {
    request: { method: 'POST', body: 'a=1&b=2', fields: [['Content-Type', 'application/x-www-form-urlencoded']] },
    listener(req, res, log) {
      const expected = Number(req.headers['content-length']);
      let received = 0;
      const done = (): void => {
        req.off('data', onData);
        req.off('end', done);
        log.value('octets', [received, expected]);
        res.end('parsed');
      };
      const onData = (chunk: Buffer): void => void (received += chunk.byteLength);
      req.on('data', onData).on('end', done);
    },
  },
  'an access log finds what it needs on finish': {
    listener(req, res, log) {
      const { socket } = req;
      res.on('finish', () => {
        log.value('line', [req.method, req.url, res.statusCode, res.getHeader('content-length'), socket.remoteAddress]);
        log.value('octets written', socket.bytesWritten > 0);
      });
      res.setHeader('Content-Length', 4);
      res.end('body');
    },
  },
  'AsyncLocalStorage reaches every event of the request': {
    allowed: ['async context'],
    request: { method: 'POST', body: 'body' },
    listener(req, res, log) {
      const storage = new AsyncLocalStorage<string>();
      storage.run('this request', () => {
        const done = log.callback('close of res');
        req.on('data', () => log.value('data', storage.getStore()));
        req.on('end', () => {
          log.value('end', storage.getStore());
          res.end('body', () => log.value('end callback', storage.getStore()));
        });
        res.on('finish', () => log.value('finish', storage.getStore()));
        res.on('close', () => done());
        setImmediate(() => log.value('later', storage.getStore()));
      });
    },
  },
  'the diagnostics channels carry the same messages': {
    setUp(server, log) {
      for (const name of ['http.server.request.start', 'http.server.response.finish']) {
        diagnostics.subscribe(name, (message) => {
          const content = Object(message);
          if (peek(content, 'server') !== server) return;
          log.value(name, Object.keys(content).toSorted());
          for (const key of ['request', 'response', 'socket']) log.value(key, peek(content, key));
        });
      }
    },
    listener(_req, res, log) {
      log.note('request');
      log.watch(res, 'res', 'finish', 'close');
      res.end('body');
    },
  },
  'assigning a socket twice is refused': {
    listener(req, res, log) {
      log.attempt('assignSocket', () => invoke(res, 'assignSocket', req.socket));
      res.end('body');
    },
  },
  'a web stream can be piped to the response': {
    async listener(_req, res) {
      const source = new Blob(['from ', 'a blob']).stream();
      for await (const chunk of source) res.write(chunk);
      res.end();
    },
  },
  'server-sent events arrive one by one': {
    async listener(_req, res, log) {
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
      res.write('data: 1\n\n');
      await log.until('the client has the first event');
      res.end('data: 2\n\n');
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('data: 1\n\n');
      log.note('the client has the first event');
      return client.answer();
    },
    allowed: ['event streams are not buffered'],
  },
  'the response does not promise to keep the connection': {
    listener(_req, res, log) {
      log.value('shouldKeepAlive', res.shouldKeepAlive);
      res.end();
    },
  },
};
