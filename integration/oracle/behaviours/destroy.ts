// Request, response and socket destroyed by the listener: before the head, after it, in the body, after the end.
import { once } from 'node:events';
import type { BehaviourTable } from '../support/behaviour.js';
import { readHeadThenAnswer, sendHead, watchBoth } from '../support/watch.js';

export const destroy: BehaviourTable = {
  'res.destroy before the head leaves the client without an answer': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.value('returns the response', res.destroy() === res);
      log.value('destroyed', res.destroyed);
      log.value('headersSent', res.headersSent);
    },
  },
  'res.destroy after the head breaks the response': {
    async listener(req, res, log) {
      watchBoth(req, res, log);
      await sendHead(res, log);
      res.destroy();
    },
    client: readHeadThenAnswer,
    allowed: ['a broken response is reset'],
  },
  'res.destroy in the middle of the body breaks the response': {
    async listener(req, res, log) {
      watchBoth(req, res, log);
      res.write('the first half');
      await log.until('the client saw it');
      res.destroy();
      log.value('write', res.write('more', log.callback('write')));
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('the first half');
      log.note('the client saw it');
      return client.answer();
    },
    allowed: ['a broken response is reset'],
  },
  'res.destroy in the middle of a body with Content-Length breaks the response': {
    async listener(req, res, log) {
      watchBoth(req, res, log);
      res.writeHead(200, { 'Content-Length': 100 });
      res.write('the first half');
      await log.until('the client saw it');
      res.destroy();
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('the first half');
      log.note('the client saw it');
      return client.answer();
    },
    allowed: ['a broken response is reset'],
  },
  'res.destroy right after end': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.end('body', log.callback('end callback'));
      res.destroy();
    },
  },
  'req.destroy right after end': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.end('body', log.callback('end callback'));
      req.destroy();
    },
  },
  'req.socket.destroy right after end': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.end('body', log.callback('end callback'));
      req.socket.destroy();
    },
  },
  'req.socket.end right after end': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.end('body', log.callback('end callback'));
      req.socket.end();
    },
  },
  'res.destroy on finish leaves the response whole': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.on('finish', () => res.destroy());
      res.end('body');
    },
  },
  'res.destroy after close is harmless': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.end('body');
      await once(res, 'close');
      log.attempt('destroy', () => res.destroy(new Error('late')) === res);
    },
  },
  'res.destroy(error) tells the error to the server': {
    setUp(server, log) {
      server.on('clientError', (error, socket) => {
        log.value('clientError', error);
        socket.destroy();
      });
    },
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.destroy(new Error('no more'));
      log.value('errored', res.errored);
    },
  },
  'res.destroy twice is harmless': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      res.destroy();
      log.attempt('again', () => res.destroy() === res);
      log.attempt('end', () => res.end(log.callback('end')) === res);
    },
  },
  'write and end after destroy call back with an error': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.destroy();
      log.attempt('write', () => res.write('late', log.callback('write')));
      log.attempt('setHeader', () => res.setHeader('X-A', '1') === res);
      log.attempt('flushHeaders', () => res.flushHeaders());
      await once(res, 'close');
      log.attempt('write after close', () => res.write('late', log.callback('write after close')));
    },
  },
  'req.destroy before the head leaves the client without an answer': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.value('returns the request', req.destroy() === req);
      log.value('destroyed', [req.destroyed, res.destroyed, req.socket.destroyed]);
    },
  },
  'req.destroy(error) emits the error on the request': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      req.destroy(new Error('no more'));
      log.value('errored', req.errored);
    },
  },
  'req.destroy in the middle of the request body': {
    request: { method: 'POST', body: 'first half, second half' },
    listener(req, res, log) {
      watchBoth(req, res, log);
      req.once('data', () => {
        req.destroy();
        log.value('destroyed', req.destroyed);
      });
    },
    async client({ client }) {
      client.sendHead();
      client.sendBody(0, 10);
      return client.answer();
    },
  },
  'req.destroy after the request was read still allows no answer': {
    request: { method: 'POST', body: 'body' },
    async listener(req, res, log) {
      watchBoth(req, res, log);
      req.resume();
      await once(req, 'end');
      req.destroy();
      res.end('answer', log.callback('end'));
    },
  },
  'req.socket.destroy before the head leaves the client without an answer': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      req.socket.destroy();
      log.value('destroyed', [req.destroyed, res.destroyed, req.socket.destroyed]);
    },
  },
  'req.socket.destroy in the middle of the body breaks the response': {
    async listener(req, res, log) {
      watchBoth(req, res, log);
      // With a length, because what a write returns after a loss depends on the chunked coding in Node 26.
      await sendHead(res, log, { 'Content-Length': 100 });
      res.write('some');
      req.socket.destroy();
      log.attempt('write', () => res.write('late', log.callback('late write')));
    },
    client: readHeadThenAnswer,
    allowed: ['a broken response is reset'],
  },
  'req.socket.destroy(error) tells the error to the server': {
    setUp: (server, log) =>
      void server.on('clientError', (error, socket) => {
        log.value('clientError', error);
        socket.destroy();
      }),
    listener(req, res, log) {
      watchBoth(req, res, log);
      req.socket.destroy(new Error('socket trouble'));
    },
  },
};
