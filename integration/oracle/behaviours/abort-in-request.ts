// Clients that leave, with FIN or RST, before the whole request has arrived.
import { finished } from 'node:stream';
import type { BehaviourTable, Stage } from '../support/behaviour.js';
import { countBody, messageFlags, watchBoth, watchClientErrors } from '../support/watch.js';

const upload = { method: 'POST', body: 'first half, second half' } as const;

async function sendHalfThen({ client, log }: Stage, leave: () => Promise<void>): Promise<void> {
  client.sendHead();
  client.sendBody(0, 10);
  await log.until('listening');
  await log.until('10 octets');
  await leave();
  await log.until('res close');
}

export const abortInRequest: BehaviourTable = {
  'a client that leaves before it sends anything is no error': {
    setUp: (server, log) => void server.on('clientError', () => log.note('clientError')),
    listener: (_req, _res, log) => log.note('request'),
    async client({ client }) {
      await client.leave();
      return client.answer();
    },
  },
  'a client that leaves with FIN inside the request head': {
    allowed: ['error codes'],
    setUp: (server, log) => watchClientErrors(server, log),
    listener: (_req, _res, log) => log.note('request'),
    async client({ client, log }) {
      client.sendPartOfHead(20);
      await client.leave();
      await log.until('clientError');
    },
  },
  'a client that leaves with RST inside the request head': {
    setUp(server, log) {
      watchClientErrors(server, log);
      server.on('connection', () => log.note('connection'));
    },
    listener: (_req, _res, log) => log.note('request'),
    async client({ client, log }) {
      client.sendPartOfHead(20);
      await log.until('connection');
      await client.vanish();
      await log.until('clientError');
    },
  },
  'a client that leaves with FIN before the request body': {
    request: upload,
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      res.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    async client({ client, log }) {
      client.sendHead();
      await log.until('listening');
      await client.leave();
      await log.until('res close');
    },
  },
  'a client that leaves with FIN in the middle of the request body': {
    request: upload,
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      countBody(req, log);
      req.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    client: (stage) => sendHalfThen(stage, () => stage.client.leave()),
  },
  'a client that leaves with RST in the middle of the request body': {
    request: upload,
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
      countBody(req, log);
      req.on('close', () => log.value('flags', messageFlags(req, res)));
    },
    client: (stage) => sendHalfThen(stage, () => stage.client.vanish()),
  },
  'a half-read request of which nobody reads the rest is aborted too': {
    request: upload,
    listener(req, res, log) {
      watchBoth(req, res, log);
      log.note('listening');
    },
    async client({ client, log }) {
      client.sendHead();
      client.sendBody(0, 10);
      await log.until('listening');
      await client.leave();
      await log.until('res close');
    },
  },
  'an aborted request without an error listener throws nothing': {
    request: upload,
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'close');
      log.note('listening');
      countBody(req, log);
    },
    client: (stage) => sendHalfThen(stage, () => stage.client.vanish()),
  },
  'a clientError listener hears of an aborted body, once': {
    allowed: ['error codes'],
    request: upload,
    setUp: (server, log) => watchClientErrors(server, log),
    listener(req, res, log) {
      log.watch(res, 'res', 'close');
      log.note('listening');
      countBody(req, log);
    },
    client: (stage) => sendHalfThen(stage, () => stage.client.leave()),
  },
  'async iteration of the request fails when the client leaves': {
    request: upload,
    async listener(req, res, log) {
      log.watch(res, 'res', 'close');
      log.note('listening');
      try {
        for await (const chunk of req) log.note(`${Buffer.byteLength(chunk)} octets`);
      } catch (error) {
        log.value('iteration', error);
      }
      log.note('iteration is over');
    },
    async client(stage) {
      await sendHalfThen(stage, () => stage.client.leave());
      await stage.log.until('iteration is over');
    },
  },
  'stream.finished of request and response report the client that left': {
    request: upload,
    listener(req, res, log) {
      log.watch(res, 'res', 'close');
      log.note('listening');
      countBody(req, log);
      finished(req, log.callback('finished(req)'));
      finished(res, log.callback('finished(res)'));
    },
    client: (stage) => sendHalfThen(stage, () => stage.client.leave()),
  },
};
