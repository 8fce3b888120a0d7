// Clients that leave, with FIN or RST, while the listener works, in the response and after it.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pattern, peek, type BehaviourTable, type Stage } from '../support/behaviour.js';
import { messageFlags, watchBoth, watchClientErrors } from '../support/watch.js';

const upload = { method: 'POST', body: 'first half, second half' } as const;

async function sendThen({ client, log }: Stage, leave: () => Promise<void>): Promise<void> {
  client.send();
  await log.until('listening');
  await leave();
  await log.until('res close');
}

export const abortInResponse: BehaviourTable = {
  'a client that leaves with FIN while the listener works': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      res.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    client: (stage) => sendThen(stage, () => stage.client.leave()),
  },
  'a client that leaves with RST while the listener works': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      res.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    client: (stage) => sendThen(stage, () => stage.client.vanish()),
  },
  'a client that leaves with FIN after its body was read': {
    request: upload,
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      req.resume();
      res.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    async client({ client, log }) {
      client.send();
      await log.until('req end');
      await client.leave();
      await log.until('res close');
    },
  },
  'a client that leaves with FIN in the middle of the response': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      res.write('the first half');
      res.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('the first half');
      await client.leave();
      await log.until('res close');
    },
  },
  'a client that leaves with RST in the middle of the response': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      res.write('the first half');
      res.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('the first half');
      await client.vanish();
      await log.until('res close');
    },
  },
  'a client that leaves with RST while the response waits for drain': {
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      log.watch(res, 'res', 'drain');
      log.value('write', res.write(pattern(12_000_000)));
      log.value('writableNeedDrain', res.writableNeedDrain);
    },
    async client({ client, log }) {
      client.socket.pause();
      client.send();
      await log.until('listening');
      await client.vanish();
      await log.until('res close');
    },
  },
  'writes after the client has left call back with an error': {
    async listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      await log.until('res close');
      log.attempt('write', () => res.write('late', log.callback('write')));
      log.attempt('end', () => res.end('later', log.callback('end')) === res);
      log.value('flags', messageFlags(req, res));
    },
    client: (stage) => sendThen(stage, () => stage.client.leave()),
  },
  'pipeline into the response fails when the client leaves': {
    async listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      const endless = Readable.from(
        (async function* () {
          yield 'the first half';
          await log.until('res close');
          yield 'never sent';
        })(),
      );
      await pipeline(endless, res).catch((error: unknown) => log.value('pipeline', error));
      log.note('pipeline is over');
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('the first half');
      await client.leave();
      await log.until('pipeline is over');
    },
  },
  'req.signal aborts when the client leaves': {
    needs: { what: 'req.signal', present: () => Number(process.versions.node.split('.')[0]) >= 24 },
    listener(req, res, log) {
      const signal = peek(req, 'signal');
      log.watch(res, 'res', 'close');
      log.note('listening');
      const aborted = log.callback('abort');
      if (signal instanceof AbortSignal) signal.addEventListener('abort', () => aborted(signal.reason));
    },
    client: (stage) => sendThen(stage, () => stage.client.leave()),
  },
  'a client that half-closes with its request gets an answer when httpAllowHalfOpen is set': {
    setUp: (server) => void Reflect.set(server, 'httpAllowHalfOpen', true),
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      req.socket.on('end', () => res.end('answered'));
    },
    async client({ client }) {
      client.sendAndHalfClose();
      return client.answer();
    },
  },
  'a client that half-closes with its request gets an answer': {
    listener(req, res, log) {
      log.note('request');
      req.socket.on('end', () => res.end('answered'));
    },
    async client({ client }) {
      client.sendAndHalfClose();
      return client.answer();
    },
    allowed: ['a half-closed request is answered'],
  },
  'a client that leaves after the whole response leaves no trace': {
    setUp: (server, log) => watchClientErrors(server, log),
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      res.end('body');
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('body');
      await client.vanish();
      await log.until('res close');
    },
  },
};
