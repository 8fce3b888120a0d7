// Input that is no request: what the client is told, what `clientError` is told, and who is not disturbed.
import net from 'node:net';
import type { BehaviourTable } from '../support/behaviour.js';

const garbage = { raw: { http: 'GARBAGE /\r\n\r\n', scgi: '8:GARBAGE!,' } } as const;
const tooLarge = { fields: [['X-Large', 'x'.repeat(5000)]] } as const;

export const malformedInput: BehaviourTable = {
  'malformed input gets a 400': {
    request: garbage,
    listener: (_req, _res, log) => log.note('request'),
    allowed: ['error answers'],
  },
  'malformed input is told to clientError, which has the socket': {
    request: garbage,
    setUp(server, log) {
      server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log.value('error', [error instanceof Error, typeof error.code, typeof error.message]);
        log.value('socket', [socket instanceof net.Socket, socket.writable, socket.destroyed]);
        socket.destroy();
      });
    },
    listener: (_req, _res, log) => log.note('request'),
  },
  'a clientError listener may answer itself': {
    request: garbage,
    setUp: (server) =>
      void server.on('clientError', (_error, socket) => {
        socket.end('HTTP/1.1 418 Short And Stout\r\nX-A: 1\r\n\r\n');
      }),
    listener: (_req, _res, log) => log.note('request'),
  },
  'a head above maxHeaderSize gets a 431': {
    options: { maxHeaderSize: 2048 },
    request: tooLarge,
    listener: (_req, _res, log) => log.note('request'),
    allowed: ['error answers'],
  },
  'a head above maxHeaderSize is told to clientError': {
    options: { maxHeaderSize: 2048 },
    request: tooLarge,
    setUp: (server, log) =>
      void server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log.value('clientError', error.code);
        socket.destroy();
      }),
    listener: (_req, _res, log) => log.note('request'),
    allowed: ['error codes'],
  },
  'malformed input does not disturb other requests': {
    async listener(_req, res, log) {
      log.note('the listener works');
      await log.until('garbage was refused');
      res.end('answered');
    },
    async client({ client, connect, log, notes }) {
      client.send();
      await log.until('the listener works');
      const second = await connect(garbage);
      second.send();
      notes.value('second', (await second.answer()).status);
      log.note('garbage was refused');
      return client.answer();
    },
  },
};
