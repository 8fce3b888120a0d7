// Requests that ask for another protocol: what the listener for `upgrade` is given, and what it can do with it.
// WebSocket itself is not spoken here; that is in websocket/.
import type { IncomingMessage, Server } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { Duplex } from 'node:stream';
import type { Answer } from '../support/answer.js';
import { pattern, peek, type BehaviourTable, type Stage } from '../support/behaviour.js';
import type { Recorder } from '../support/recorder.js';

type UpgradeListener = (req: IncomingMessage, socket: Duplex, head: Buffer, log: Recorder) => unknown;

const request = { upgrade: 'echo' };
const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';
const forbidden = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n';

function onUpgrade(listener: UpgradeListener): (server: Server, log: Recorder) => void {
  return (server, log) =>
    void server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => listener(req, socket, head, log));
}

function echo(socket: Duplex): void {
  socket.write(switching);
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => socket.end());
}

async function sayAndLeave({ client }: Stage): Promise<Answer> {
  client.send();
  await client.headReceived();
  client.socket.write('one ');
  await client.sawText('one ');
  client.socket.end('two');
  return client.answer();
}

function neverCalled(_req: unknown, _res: unknown, log: Recorder): void {
  log.note('the listener for request');
}

export const upgrades: BehaviourTable = {
  'upgrade hands the socket over': {
    request,
    setUp: onUpgrade((_req, socket) => echo(socket)),
    listener: neverCalled,
    client: sayAndLeave,
  },
  'upgrade can be refused': {
    request,
    setUp: onUpgrade((_req, socket) => socket.end(forbidden)),
    listener: neverCalled,
  },
  'upgrade gives the request': {
    request: { ...request, target: '/a%2Fb?c=d', fields: [['X-Token', 'abc']] },
    setUp: onUpgrade((req, socket, head, log) => {
      log.value('class', req.constructor.name);
      for (const name of ['method', 'url', 'httpVersion', 'upgrade', 'complete', 'aborted', 'trailers'])
        log.value(name, peek(req, name));
      log.value('headers', { ...req.headers });
      log.value(
        'raw names',
        req.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()),
      );
      log.value('socket', [req.socket === socket, socket.constructor.name]);
      log.value('head', [Buffer.isBuffer(head), head.length]);
      socket.end(forbidden);
    }),
  },
  'upgrade gives a socket that waits to be read': {
    request,
    setUp: onUpgrade((_req, socket, _head, log) => {
      for (const name of ['readableFlowing', 'readable', 'writable', 'destroyed', 'allowHalfOpen', 'readableLength'])
        log.value(name, peek(socket, name));
      for (const event of ['data', 'end', 'drain', 'error', 'readable', 'timeout'])
        log.value(event, socket.listenerCount(event));
      socket.end(forbidden);
    }),
  },
  'upgrade gives a request without a body, whose end can be awaited': {
    request,
    setUp: onUpgrade((req, socket, _head, log) => {
      log.watch(req, 'req', 'end', 'error', 'aborted');
      req.on('end', () => {
        log.note('read to its end');
        socket.end(forbidden);
      });
      req.on('data', () => log.note('data'));
    }),
  },
  'upgrade comes after connection, and instead of request': {
    request,
    setUp(server, log) {
      server.prependListener('connection', () => log.note('connection'));
      onUpgrade((_req, socket) => {
        log.note('upgrade');
        socket.end(forbidden);
      })(server, log);
    },
    listener: neverCalled,
  },
  'upgrade is given to every listener for it': {
    request,
    setUp(server, log) {
      onUpgrade(() => log.note('first'))(server, log);
      onUpgrade((_req, socket) => {
        log.note('second');
        socket.end(forbidden);
      })(server, log);
    },
  },
  'upgrade runs the listener with the server as this': {
    request,
    setUp: (server, log) =>
      void server.on('upgrade', function (this: unknown, _req: unknown, socket: Duplex) {
        log.value('this', this === server);
        socket.end(forbidden);
      }),
  },
  'upgrade gives what came with the request as the head': {
    request,
    setUp: onUpgrade((_req, socket, head, log) => {
      log.value('head', head.toString());
      echo(socket);
      socket.unshift(head);
    }),
    async client({ client }) {
      client.socket.cork();
      client.send();
      client.socket.write('early ');
      client.socket.uncork();
      await client.sawText('early ');
      client.socket.end('late');
      return client.answer();
    },
  },
  'upgrade keeps what comes before the listener reads': {
    request,
    setUp: onUpgrade(async (_req, socket, _head, log) => {
      socket.write(switching);
      await log.until('the client has said all');
      for (let turns = 0; turns < 6; turns++) await turn();
      echo(socket);
    }),
    async client({ client, log }) {
      client.send();
      await client.headReceived();
      client.socket.write(pattern(50_000));
      client.socket.end();
      log.note('the client has said all');
      return client.answer();
    },
  },
  'upgrade carries more than the buffers hold, both ways': {
    request,
    setUp: onUpgrade((_req, socket) => {
      socket.write(switching);
      socket.pipe(socket);
    }),
    async client({ client }) {
      client.send();
      await client.headReceived();
      client.socket.end(pattern(3_000_000));
      return client.answer();
    },
  },
  'upgrade can be ended by destroying the socket': {
    request,
    setUp: onUpgrade((req, socket, _head, log) => {
      log.watch(socket, 'socket', 'end', 'error', 'close');
      log.watch(req, 'req', 'end', 'error', 'aborted');
      socket.destroy();
    }),
  },
  'upgrade can be ended by destroying the socket of another protocol': {
    request,
    setUp: onUpgrade((_req, socket, _head, log) => {
      log.watch(socket, 'socket', 'end', 'error', 'close');
      socket.write(`${switching}the last word`, () => socket.destroy());
    }),
  },
  'upgrade tells the listener that the client has left': {
    request,
    setUp: onUpgrade((req, socket, _head, log) => {
      log.watch(socket, 'socket', 'end', 'error', 'close');
      log.watch(req, 'req', 'aborted', 'error');
      socket.write(switching);
      socket.on('end', () => socket.end());
      socket.resume();
    }),
    async client({ client }) {
      client.send();
      await client.headReceived();
      await client.leave();
      return client.answer();
    },
  },
  'upgrade tells the listener that the client has vanished': {
    request,
    setUp: onUpgrade((_req, socket, _head, log) => {
      socket.on('error', (error: NodeJS.ErrnoException) => log.value('error', error.code));
      socket.on('close', (failed: boolean) => {
        log.value('close', failed);
        log.note('the socket is closed');
      });
      socket.write(switching);
      socket.resume();
    }),
    async client({ client, log }) {
      client.send();
      await client.headReceived();
      await client.vanish();
      await log.until('the socket is closed');
    },
  },
  'upgrade is not bound to the deadlines of requests': {
    request,
    options: { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 },
    setUp: onUpgrade((_req, socket) => echo(socket)),
    async client({ client, connect, notes }) {
      client.send();
      await client.headReceived();
      const later = await connect();
      later.sendPartOfHead(20);
      notes.value('a later one', (await later.answer()).status);
      client.socket.end('still here');
      return client.answer();
    },
  },
  'upgrade leaves the time-out of the server to the listener': {
    request,
    setUp(server, log) {
      server.setTimeout(100, () => log.note('server timeout'));
      onUpgrade((_req, socket) => {
        log.watch(socket, 'socket', 'error', 'close');
        socket.once('timeout', () => {
          log.note('socket timeout');
          socket.end('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n');
        });
      })(server, log);
    },
  },
  'upgrade is served at once for several clients': {
    request,
    setUp: onUpgrade((_req, socket) => echo(socket)),
    async client({ client, connect, notes }) {
      const other = await connect(request);
      client.send();
      other.send();
      await Promise.all([client.headReceived(), other.headReceived()]);
      other.socket.end('other');
      notes.value('the other', (await other.answer()).body.toString());
      client.socket.end('first');
      return client.answer();
    },
  },
  'upgrade may be listened for later': {
    request,
    listener: (_req, res) => res.end('plain'),
    async client({ client, connect, server, log, notes }) {
      client.send();
      notes.value('before', (await client.answer()).body.toString());
      onUpgrade((_req, socket) => socket.end(forbidden))(server, log);
      const second = await connect(request);
      second.send();
      notes.value('with a listener', (await second.answer()).status);
      server.removeAllListeners('upgrade');
      const third = await connect(request);
      third.send();
      return third.answer();
    },
  },
  'upgrade is not emitted for requests that ask for none': {
    setUp: onUpgrade((_req, socket, _head, log) => {
      log.note('upgrade');
      socket.end(forbidden);
    }),
    listener: (req, res) => res.end(`upgrade: ${String(peek(req, 'upgrade'))}`),
  },
  'upgrade is not emitted where only the field Upgrade asks for one': {
    request: { fields: [['Upgrade', 'echo']] },
    setUp: onUpgrade((_req, socket) => socket.end(forbidden)),
    listener: (_req, res) => res.end('plain'),
  },
  'close waits for the connections that were handed over': {
    request,
    setUp: onUpgrade((_req, socket) => echo(socket)),
    async client({ client, server, log, notes }) {
      client.send();
      await client.headReceived();
      server.close(log.callback('close callback'));
      server.closeIdleConnections();
      client.socket.write('still here');
      await client.sawText('still here');
      notes.note('answered after close');
      client.socket.end();
      return client.answer();
    },
  },
};
