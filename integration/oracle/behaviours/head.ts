// The head of the response: every form of writeHead, implicit heads, status and reason.
import { invoke, type BehaviourTable } from '../support/behaviour.js';
import type { Recorder } from '../support/recorder.js';
import type { ServerResponse } from 'node:http';

function tryHeads(res: ServerResponse, log: Recorder, ...heads: readonly (readonly unknown[])[]): void {
  for (const args of heads)
    log.attempt(`writeHead(${args.map(String).join(', ')})`, () => invoke(res, 'writeHead', ...args));
  log.value('headersSent', res.headersSent);
  res.end('still fine');
}

export const head: BehaviourTable = {
  'writeHead takes a status alone': {
    listener: (_req, res) => res.writeHead(201).end(),
  },
  'writeHead takes a reason': {
    listener: (_req, res) => res.writeHead(404, 'Nothing Here').end(),
  },
  'writeHead takes a field object': {
    listener: (_req, res) => res.writeHead(200, { 'Content-Type': 'text/plain', 'X-Number': 7 }).end('body'),
  },
  'writeHead takes a reason and a field object': {
    listener: (_req, res) => res.writeHead(202, 'Queued', { 'x-a': '1', 'X-B': ['2', '3'] }).end('body'),
  },
  'writeHead takes a flat array of fields': {
    listener: (_req, res) => res.writeHead(200, ['X-A', '1', 'x-b', '2']).end('body'),
  },
  'writeHead takes a flat array with repeated names': {
    listener: (_req, res) =>
      res.writeHead(200, ['X-A', '1', 'X-A', '2', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end(),
  },
  'writeHead takes an array of pairs': {
    listener(_req, res, log) {
      const pairs = [
        ['X-A', '1'],
        ['X-B', '2'],
        ['X-A', '3'],
      ];
      log.attempt('writeHead', () => invoke(res, 'writeHead', 200, pairs) === res);
      res.end('body');
    },
  },
  'writeHead refuses a flat array of odd length': {
    listener: (_req, res, log) => tryHeads(res, log, [200, ['X-A', '1', 'X-B']]),
  },
  'writeHead replaces the fields of setHeader by those of an object': {
    listener(_req, res) {
      res.setHeader('X-Kept', 'kept');
      res.setHeader('X-Replaced', 'old');
      res.writeHead(200, { 'x-replaced': 'new' }).end();
    },
  },
  'writeHead merges a flat array with the fields of setHeader': {
    listener(_req, res) {
      res.setHeader('X-Kept', 'kept');
      res.setHeader('X-Replaced', 'old');
      res.writeHead(200, ['x-replaced', 'new', 'x-replaced', 'newer']).end();
    },
  },
  'writeHead merges an array of pairs with the fields of setHeader': {
    listener(_req, res, log) {
      res.setHeader('X-Kept', 'kept');
      log.attempt('writeHead', () => invoke(res, 'writeHead', 200, [['X-New', '1']]) === res);
      res.end();
    },
  },
  'writeHead sends several values of one name as several fields': {
    listener: (_req, res) =>
      res.writeHead(200, { 'Set-Cookie': ['a=1; Path=/', 'b=2', 'c=3'], Vary: ['A', 'B'] }).end(),
  },
  'writeHead ignores undefined fields': {
    listener: (_req, res) => res.writeHead(200, undefined).end('body'),
  },
  'writeHead returns the response, and the head is not yet sent': {
    listener(_req, res, log) {
      log.value('returns the response', res.writeHead(200, { 'X-A': '1' }) === res);
      log.value('headersSent', res.headersSent);
      log.value('statusCode', res.statusCode);
      log.value('statusMessage', res.statusMessage);
      log.value('getHeader', res.getHeader('x-a'));
      res.end();
    },
  },
  'writeHead refuses a status that is no status': {
    listener: (_req, res, log) => tryHeads(res, log, [99], [1000], [-1], ['abc'], [Number.NaN], [undefined], [null]),
  },
  'writeHead takes a status as a string or with a fraction': {
    listener(_req, res, log) {
      log.attempt('writeHead', () => invoke(res, 'writeHead', '203.7') === res);
      log.value('statusCode', res.statusCode);
      res.end();
    },
  },
  'writeHead refuses a reason with a line break': {
    listener(_req, res, log) {
      log.attempt('writeHead', () => res.writeHead(200, 'Fine\r\nX-Injected: 1'));
      log.value('statusMessage', res.statusMessage);
      res.statusMessage = 'Fine';
      res.end('still fine');
    },
  },
  'writeHead refuses a field name that is no token': {
    listener(_req, res, log) {
      for (const name of ['X Y', 'X:Y', '', 'X\n', 'é']) {
        log.attempt(`name ${JSON.stringify(name)}`, () => invoke(res, 'writeHead', 200, { [name]: '1' }) === res);
      }
      log.value('headersSent', res.headersSent);
      res.end();
    },
  },
  'writeHead refuses a field value with a line break': {
    listener(_req, res, log) {
      log.attempt('writeHead', () => res.writeHead(200, { 'X-A': 'a\r\nX-Injected: 1' }));
      log.value('headersSent', res.headersSent);
      res.end();
    },
  },
  'writeHead refuses an undefined field value': {
    listener(_req, res, log) {
      log.attempt('writeHead', () => invoke(res, 'writeHead', 200, { 'X-A': undefined }));
      log.value('headersSent', res.headersSent);
      res.end();
    },
  },
  'writeHead refuses a second call': {
    listener(_req, res, log) {
      res.writeHead(200, { 'X-First': '1' });
      log.attempt('second writeHead', () => res.writeHead(500, { 'X-Second': '2' }));
      res.end('first');
    },
  },
  'writeHead refuses a call after flushHeaders, after write and after end': {
    listener(_req, res, log) {
      res.flushHeaders();
      log.attempt('after flushHeaders', () => res.writeHead(500));
      res.write('a');
      log.attempt('after write', () => res.writeHead(500));
      res.end('b');
      log.attempt('after end', () => res.writeHead(500));
    },
  },
  'the head is implicit on the first write': {
    listener(_req, res, log) {
      res.statusCode = 206;
      res.setHeader('X-A', '1');
      log.value('headersSent before', res.headersSent);
      res.write('part');
      log.value('headersSent after', res.headersSent);
      res.end();
    },
  },
  'the head is implicit on end': {
    listener(_req, res, log) {
      res.statusCode = 410;
      res.end();
      log.value('headersSent', res.headersSent);
    },
  },
  'the status is 200 when nothing was set': {
    listener(_req, res, log) {
      log.value('statusCode', res.statusCode);
      log.value('statusMessage', res.statusMessage);
      res.end();
      log.value('statusMessage after', res.statusMessage);
    },
  },
  'statusMessage is the reason of an implicit head': {
    listener(_req, res) {
      res.statusCode = 418;
      res.statusMessage = 'Short And Stout';
      res.end();
    },
  },
  'writeHead without a reason keeps statusMessage': {
    listener(_req, res) {
      res.statusMessage = 'Mine';
      res.writeHead(200).end();
    },
  },
  'writeHead with a reason replaces statusMessage': {
    listener(_req, res) {
      res.statusMessage = 'Mine';
      res.writeHead(200, 'Yours').end();
    },
  },
  'an empty statusMessage gives the standard reason': {
    listener(_req, res) {
      res.statusMessage = '';
      res.writeHead(404).end();
    },
  },
  'a statusMessage with a line break throws when the head is made': {
    listener(_req, res, log) {
      res.statusMessage = 'Fine\nX-Injected: 1';
      log.attempt('end', () => res.end('body'));
      res.statusMessage = 'Fine';
      log.attempt('end', () => res.end('body') === res);
    },
  },
  'a statusCode that is no status throws when the head is made': {
    listener(_req, res, log) {
      res.statusCode = 0;
      log.attempt('write', () => res.write('body'));
      log.attempt('flushHeaders', () => res.flushHeaders());
      res.statusCode = 500;
      log.attempt('end', () => res.end() === res);
    },
  },
  'a status without a standard reason is "unknown"': {
    listener: (_req, res) => res.writeHead(299).end(),
  },
  'a status of the extension range passes': {
    listener: (_req, res) => res.writeHead(799, 'Beyond').end('body'),
  },
  'a reason with octets above ASCII passes': {
    listener: (_req, res) => res.writeHead(200, 'Très bien').end(),
  },
  'flushHeaders sends the head before there is a body': {
    listener(_req, res, log) {
      res.setHeader('X-A', '1');
      log.value('flushHeaders', res.flushHeaders());
      log.value('headersSent', res.headersSent);
      log.attempt('setHeader', () => res.setHeader('X-B', '2'));
      return log.until('the client has the head').then(() => res.end('body'));
    },
    async client({ client, log }) {
      client.send();
      await client.headReceived();
      log.note('the client has the head');
      return client.answer();
    },
  },
  'writeHead alone sends nothing until flushHeaders': {
    listener(_req, res, log) {
      res.writeHead(200, { 'X-A': '1' });
      res.flushHeaders();
      return log.until('the client has the head').then(() => res.end());
    },
    async client({ client, log }) {
      client.send();
      await client.headReceived();
      log.note('the client has the head');
      return client.answer();
    },
  },
  'flushHeaders twice sends one head': {
    listener(_req, res, log) {
      res.flushHeaders();
      log.attempt('second flushHeaders', () => res.flushHeaders());
      res.end('body');
    },
  },
  'a redirect keeps its status, Location and body': {
    listener: (_req, res) => res.writeHead(303, { Location: '/elsewhere?a=1', 'Content-Type': 'text/html' }).end('<a>'),
  },
  'a 200 with a Location stays a 200': {
    listener: (_req, res) => res.writeHead(200, { Location: '/made' }).end('made'),
  },
};
