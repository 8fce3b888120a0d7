// The life of request and response: events and flags, and the order they come in.
import { once } from 'node:events';
import { finished } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { peek, type BehaviourTable } from '../support/behaviour.js';
import type { Recorder } from '../support/recorder.js';

const requestEvents = ['end', 'close', 'aborted', 'error', 'pause', 'resume'] as const;
const responseEvents = ['prefinish', 'finish', 'close', 'error', 'drain', 'pipe', 'unpipe'] as const;

function watchEverything(req: IncomingMessage, res: ServerResponse, log: Recorder): void {
  log.watch(req, 'req', ...requestEvents);
  log.watch(res, 'res', ...responseEvents);
}

const requestFlags = [
  'complete',
  'aborted',
  'destroyed',
  'closed',
  'errored',
  'readable',
  'readableEnded',
  'readableFlowing',
  'readableDidRead',
  'readableAborted',
] as const;
const responseFlags = [
  'headersSent',
  'writableEnded',
  'writableFinished',
  'finished',
  'destroyed',
  'closed',
  'errored',
  'writable',
] as const;

function flags(message: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, peek(message, name)]));
}

export const events: BehaviourTable = {
  'a GET answered at once: events in order': {
    listener(req, res, log) {
      watchEverything(req, res, log);
      res.end('body');
    },
  },
  'a GET answered in a later turn: events in order': {
    async listener(req, res, log) {
      watchEverything(req, res, log);
      await turn();
      res.end('body');
    },
  },
  'a GET whose request is read to the end first: events in order': {
    listener(req, res, log) {
      watchEverything(req, res, log);
      req.resume();
      req.on('end', () => res.end('body'));
    },
  },
  'a POST read to the end, then answered: events in order': {
    request: { method: 'POST', body: 'some body' },
    listener(req, res, log) {
      watchEverything(req, res, log);
      req.resume().on('end', () => res.end('body'));
    },
  },
  'a POST answered without reading its body: events in order': {
    request: { method: 'POST', body: 'some body' },
    listener(req, res, log) {
      watchEverything(req, res, log);
      res.end('not read');
    },
  },
  'a POST answered before its body arrived: events in order': {
    request: { method: 'POST', body: 'some body' },
    listener(req, res, log) {
      watchEverything(req, res, log);
      res.end('early');
    },
    async client({ client }) {
      client.sendHead();
      await client.sawText('early');
      client.sendBody();
      return client.answer();
    },
    allowed: ['the rest of the body is read'],
  },
  'HEAD: events in order': {
    request: { method: 'HEAD' },
    listener(req, res, log) {
      watchEverything(req, res, log);
      res.end('body');
    },
  },
  'a request piped to its response: events in order': {
    request: { method: 'POST', body: 'there and back' },
    listener(req, res, log) {
      log.watch(req, 'req', 'end', 'close', 'aborted', 'error');
      log.watch(res, 'res', ...responseEvents);
      req.pipe(res);
    },
  },
  'flags of the response from start to close': {
    listener(_req, res, log) {
      log.value('at first', flags(res, responseFlags));
      res.write('a');
      log.value('after write', flags(res, responseFlags));
      res.end('b');
      log.value('after end', flags(res, responseFlags));
      res.on('finish', () => log.value('on finish', flags(res, responseFlags)));
      res.on('close', () => log.value('on close', flags(res, responseFlags)));
    },
  },
  'flags of a GET request from start to close': {
    async listener(req, res, log) {
      log.value('at first', flags(req, requestFlags));
      req.on('end', () => log.value('on end', flags(req, requestFlags)));
      req.on('close', () => log.value('on close', flags(req, requestFlags)));
      res.on('close', () => log.note('res close'));
      await turn();
      log.value('one turn later', flags(req, requestFlags));
      res.end('body');
    },
  },
  'flags of a POST request from start to close': {
    allowed: ['complete with the last octet'],
    request: { method: 'POST', body: 'some body' },
    async listener(req, res, log) {
      log.value('at first', flags(req, requestFlags));
      req.on('data', (chunk) => log.value('on data', [chunk, flags(req, requestFlags)]));
      req.on('end', () => log.value('on end', flags(req, requestFlags)));
      req.on('close', () => log.value('on close', flags(req, requestFlags)));
      await once(req, 'end');
      await turn();
      res.end('body');
    },
  },
  'stream.finished of the response calls back after finish': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close');
      finished(res, log.callback('finished(res)'));
      res.end('body');
    },
  },
  'stream.finished of the request calls back after end': {
    request: { method: 'POST', body: 'some body' },
    listener(req, res, log) {
      log.watch(req, 'req', 'end', 'close');
      finished(req, log.callback('finished(req)'));
      req.resume().on('end', () => res.end('body'));
    },
  },
  'stream.finished of an unread request calls back': {
    request: { method: 'POST', body: 'some body' },
    listener(req, res, log) {
      finished(req, log.callback('finished(req)'));
      res.end('body');
    },
  },
  'socket of the response before, on and after finish': {
    listener(req, res, log) {
      const { socket } = req;
      const state = (): unknown => [res.socket === socket, res.connection === socket, req.socket === socket];
      log.value('at first', state());
      res.on('finish', () => log.value('on finish', state()));
      res.on('close', () => log.value('on close', state()));
      res.end('body');
    },
  },
  'the socket closes after the response': {
    listener(req, res, log) {
      const closed = log.callback('socket close');
      req.socket.on('close', () => closed());
      log.watch(res, 'res', 'finish');
      log.value('destroyed', req.socket.destroyed);
      res.end('body');
    },
  },
  'req.signal does not abort on a normal response': {
    needs: { what: 'req.signal', present: () => Number(process.versions.node.split('.')[0]) >= 24 },
    async listener(req, res, log) {
      const signal = peek(req, 'signal');
      if (!(signal instanceof AbortSignal)) return log.note('no signal');
      signal.addEventListener('abort', () => log.note('abort'));
      req.socket.on('close', () => log.value('aborted at the end', signal.aborted));
      res.end('body');
    },
  },
  'a listener for close of the request that comes late is still called': {
    async listener(req, res, log) {
      req.resume();
      await once(req, 'end');
      log.value('closed', req.closed);
      const closed = log.callback('req close');
      req.on('close', () => closed());
      res.end('body');
    },
  },
  'several listeners see the same request and response': {
    setUp(server, log) {
      server.on('request', (req, res) => {
        log.value('the same', peek(req, 'mark') === 1 && peek(res, 'mark') === 2);
        res.end('second');
      });
    },
    listener(req, res) {
      Object.assign(req, { mark: 1 });
      Object.assign(res, { mark: 2 });
    },
  },
};
