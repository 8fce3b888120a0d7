// Where the body ends: HEAD, 204, 304, Content-Length, chunked coding, trailers, interim responses, Expect.
import { invoke, peek, type BehaviourTable } from '../support/behaviour.js';
import { ServerResponse } from 'node:http';

export const framing: BehaviourTable = {
  'HEAD with end(body) sends no body': {
    request: { method: 'HEAD' },
    listener: (_req, res) => res.end('the body'),
  },
  'HEAD with writes sends no body': {
    request: { method: 'HEAD' },
    listener(_req, res, log) {
      log.value('write', res.write('one'));
      res.write('two', log.callback('write callback'));
      res.end('three', log.callback('end callback'));
    },
  },
  'HEAD keeps the Content-Length of the listener': {
    request: { method: 'HEAD' },
    listener: (_req, res) => res.writeHead(200, { 'Content-Length': 12_345 }).end(),
  },
  'HEAD without a body has no Content-Length of its own': {
    request: { method: 'HEAD' },
    listener: (_req, res) => res.writeHead(200, { 'Content-Type': 'text/plain' }).end(),
  },
  '204 sends no body': {
    listener(_req, res, log) {
      res.statusCode = 204;
      log.value('write', res.write('dropped'));
      res.end('dropped too', log.callback('end callback'));
    },
  },
  '204 with end(body) sends no body': {
    listener: (_req, res) => res.writeHead(204).end('dropped'),
  },
  '304 sends no body and keeps its fields': {
    listener: (_req, res) => res.writeHead(304, { ETag: '"a"', 'Content-Length': '7' }).end('dropped'),
  },
  '205 may have a body': {
    listener: (_req, res) => res.writeHead(205).end('reset'),
  },
  'rejectNonStandardBodyWrites makes a body on HEAD throw': {
    request: { method: 'HEAD' },
    options: { rejectNonStandardBodyWrites: true },
    listener(_req, res, log) {
      log.attempt('write', () => res.write('body'));
      log.attempt('end', () => res.end('body'));
      res.end();
    },
  },
  'rejectNonStandardBodyWrites makes a body on 304 throw': {
    options: { rejectNonStandardBodyWrites: true },
    listener(_req, res, log) {
      res.writeHead(304);
      log.attempt('write', () => res.write('body'));
      res.end();
    },
  },
  'end(body) sets the Content-Length': {
    listener: (_req, res) => res.end('fünf'),
  },
  'end() without a body sets Content-Length 0': {
    listener: (_req, res) => res.end(),
  },
  'a body in several writes has no Content-Length': {
    listener(_req, res) {
      res.write('one ');
      res.write('two ');
      res.end('three');
    },
  },
  'a right Content-Length passes': {
    listener(_req, res) {
      res.writeHead(200, { 'Content-Length': 7 });
      res.write('one');
      res.end(' two');
    },
  },
  'a body shorter than its Content-Length breaks the response': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.writeHead(200, { 'Content-Length': 20 });
      res.write('only this');
      await log.until('the client saw it');
      res.end();
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('only this');
      log.note('the client saw it');
      return client.answer();
    },
    allowed: ['a broken response is reset'],
  },
  'a body longer than its Content-Length is cut there': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close', 'error');
      res.writeHead(200, { 'Content-Length': 4 });
      log.value('write', res.write('1234567'));
      res.end('89', log.callback('end callback'));
    },
  },
  'strictContentLength makes a body that is too long throw': {
    listener(_req, res, log) {
      res.strictContentLength = true;
      res.writeHead(200, { 'Content-Length': 4 });
      log.attempt('write', () => res.write('12345'));
      log.attempt('end', () => res.end('1234') === res);
    },
  },
  'strictContentLength makes a body that is too short throw': {
    listener(_req, res, log) {
      res.strictContentLength = true;
      res.writeHead(200, { 'Content-Length': 4 });
      res.write('12');
      log.attempt('end', () => res.end());
      log.attempt('end with the rest', () => res.end('34') === res);
    },
  },
  'removing Content-Length leaves the end of the body to the connection': {
    listener(_req, res) {
      res.setHeader('Content-Length', 1);
      res.removeHeader('Content-Length');
      res.end('without a length');
    },
  },
  'an HTTP/1.0 client gets the body without chunks': {
    request: { protocol: 'HTTP/1.0' },
    listener(_req, res) {
      res.write('one ');
      res.end('two');
    },
  },
  'an HTTP/1.0 client gets the length of a one-shot body': {
    request: { protocol: 'HTTP/1.0' },
    listener: (_req, res) => res.end('whole'),
  },
  'Transfer-Encoding of the listener does not change the body': {
    listener(_req, res) {
      res.writeHead(200, { 'Transfer-Encoding': 'chunked', 'Content-Type': 'text/event-stream' });
      res.write('data: 1\n\n');
      res.end('data: 2\n\n');
    },
    allowed: ['event streams are not buffered'],
  },
  'Transfer-Encoding beside Content-Length does not change the body': {
    listener: (_req, res, log) => {
      log.attempt(
        'writeHead',
        () => res.writeHead(200, { 'Transfer-Encoding': 'chunked', 'Content-Length': '4' }) === res,
      );
      res.end('four');
    },
  },
  'Connection and Keep-Alive of the listener do not reach the client': {
    listener(_req, res, log) {
      res.setHeader('Connection', 'close');
      res.setHeader('Keep-Alive', 'timeout=5');
      log.value('getHeader', res.getHeader('connection'));
      res.end('body');
    },
  },
  'Connection: keep-alive of the listener ends the response all the same': {
    setUp: (server) => void (server.keepAliveTimeout = 50),
    listener: (_req, res) => res.writeHead(200, ['Connection', 'keep-alive', 'Content-Length', '4']).end('body'),
  },
  'Upgrade in a plain response does not reach the client': {
    listener: (_req, res) => res.writeHead(426, { Upgrade: 'h2c', 'X-A': '1' }).end('upgrade required'),
  },
  'Trailer and addTrailers are accepted, and no trailer reaches the client': {
    listener(_req, res, log) {
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write('body');
      log.attempt('addTrailers', () => res.addTrailers({ 'X-Sum': 'abc' }));
      res.end();
    },
    allowed: ['response trailers'],
  },
  'addTrailers refuses names and values as setHeader does': {
    listener(_req, res, log) {
      log.attempt('name', () => res.addTrailers({ 'X Y': '1' }));
      log.attempt('value', () => res.addTrailers({ 'X-A': 'a\nb' }));
      res.end('body');
    },
  },
  'Trailer with a Content-Length throws': {
    listener(_req, res, log) {
      log.attempt('writeHead', () => res.writeHead(200, { Trailer: 'X-Sum', 'Content-Length': 4 }));
      log.value('headersSent', res.headersSent);
      res.end('body');
    },
  },
  'writeContinue, writeProcessing and writeEarlyHints never reach the client as responses': {
    listener(_req, res, log) {
      res.writeContinue(log.callback('writeContinue callback'));
      invoke(res, 'writeProcessing', log.callback('writeProcessing callback'));
      res.writeEarlyHints({ link: '</style.css>; rel=preload' }, log.callback('writeEarlyHints callback'));
      log.value('headersSent', res.headersSent);
      res.end('body');
    },
    allowed: ['interim responses'],
  },
  'writeEarlyHints refuses hints that are no links': {
    listener(_req, res, log) {
      log.attempt('string', () => invoke(res, 'writeEarlyHints', 'link'));
      log.attempt('link', () => invoke(res, 'writeEarlyHints', { link: 'nonsense' }));
      res.end('body');
    },
  },
  'writeInformation never reaches the client as a response': {
    needs: {
      what: 'res.writeInformation',
      present: () => typeof peek(ServerResponse.prototype, 'writeInformation') === 'function',
    },
    listener(_req, res, log) {
      log.attempt('writeInformation', () => invoke(res, 'writeInformation', 103, { 'X-Hint': '1' }));
      res.end('body');
    },
    allowed: ['interim responses'],
  },
  'Expect: 100-continue is answered before the request gets here': {
    request: { method: 'POST', fields: [['Expect', '100-continue']], body: 'body' },
    listener(req, res, log) {
      log.value('expect', req.headers.expect);
      req.resume().on('end', () => res.end('got it'));
    },
    allowed: ['expect', 'interim responses'],
  },
  'checkContinue is not emitted': {
    request: { method: 'POST', fields: [['Expect', '100-continue']], body: 'body' },
    setUp(server, log) {
      server.on('checkContinue', (req, res) => {
        log.note('checkContinue');
        req.resume().on('end', () => res.end('got it'));
      });
    },
    listener: (req, res, log) => {
      log.note('request');
      req.resume().on('end', () => res.end('got it'));
    },
    allowed: ['expect'],
  },
  'an unknown expectation is the business of the front end': {
    request: { fields: [['Expect', 'a-miracle']] },
    setUp: (server, log) =>
      void server.on('checkExpectation', (_req, res) => {
        log.note('checkExpectation');
        res.end('body');
      }),
    listener: (_req, res, log) => {
      log.note('request');
      res.end('body');
    },
    allowed: ['expect'],
  },
};
