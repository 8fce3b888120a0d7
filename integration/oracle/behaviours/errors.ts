// Misuse and failure: writes after the end, listeners that throw or reject.
import { once } from 'node:events';
import type { BehaviourTable } from '../support/behaviour.js';
import { readHeadThenAnswer, sendHead, watchBoth } from '../support/watch.js';

export const errors: BehaviourTable = {
  'write after end calls back and emits an error': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.end('body');
      log.attempt('write', () => res.write('late', log.callback('late write')));
      log.value('headersSent', res.headersSent);
    },
  },
  'end after end calls back with an error': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.end('body');
      log.attempt('second end', () => res.end(log.callback('second end')) === res);
      log.attempt('third end', () => res.end() === res);
    },
  },
  'end with data after end emits an error': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.end('body');
      log.attempt('second end', () => res.end('late', log.callback('second end')) === res);
    },
  },
  'end after finish calls back with an error': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'close', 'error');
      res.end('body');
      await once(res, 'finish');
      log.attempt('second end', () => res.end(log.callback('second end')) === res);
      log.attempt('write', () => res.write('late', log.callback('late write')));
    },
  },
  'flushHeaders and addTrailers after end are harmless': {
    listener(_req, res, log) {
      res.end('body');
      log.attempt('flushHeaders', () => res.flushHeaders());
      log.attempt('addTrailers', () => res.addTrailers({ 'X-A': '1' }));
      log.attempt('cork', () => res.cork());
      log.attempt('uncork', () => res.uncork());
    },
  },
  'a rejection before the head gives a 500 under captureRejections': {
    captureRejections: true,
    failing: true,
    async listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close');
      res.setHeader('X-Secret', '1');
      throw new Error('rejected');
    },
  },
  'a rejection after the head breaks the response under captureRejections': {
    captureRejections: true,
    failing: true,
    async listener(req, res, log) {
      watchBoth(req, res, log);
      await sendHead(res, log);
      throw new Error('rejected');
    },
    client: readHeadThenAnswer,
    allowed: ['a broken response is reset'],
  },
  'a listener that throws reaches uncaughtException, and later answers still go out': {
    exclusive: true,
    failing: true,
    listener(req, res, log) {
      watchBoth(req, res, log);
      process.setUncaughtExceptionCaptureCallback((error) => {
        process.setUncaughtExceptionCaptureCallback(null);
        log.value('uncaught', error);
        res.end('answered all the same');
      });
      throw new TypeError('thrown by the listener');
    },
  },
  'a throw in an event listener of the request reaches uncaughtException': {
    exclusive: true,
    failing: true,
    request: { method: 'POST', body: 'body' },
    listener(req, res, log) {
      process.setUncaughtExceptionCaptureCallback((error) => {
        process.setUncaughtExceptionCaptureCallback(null);
        log.value('uncaught', error);
        res.end('answered all the same');
      });
      req.on('data', () => {
        throw new RangeError('thrown on data');
      });
    },
  },
};
