// The server as an object: life cycle, events, limits.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { promisify } from 'node:util';
import { peek, type BehaviourTable, type Stage } from '../support/behaviour.js';
import type { Answer } from '../support/answer.js';

async function closeWhileWorking({ client, server, log }: Stage): Promise<Answer> {
  client.send();
  await log.until('the listener works');
  server.close(log.callback('close callback'));
  log.value('listening', server.listening);
  log.note('close was called');
  return client.answer();
}

export const servers: BehaviourTable = {
  'the server is an http.Server and a net.Server': {
    setUp(server, log) {
      log.value('instance', [server instanceof http.Server, server instanceof net.Server]);
      log.value('listening', server.listening);
      log.value('address', server.address());
      log.value('listeners', server.listenerCount('request'));
    },
    listener: (_req, res) => res.end(),
  },
  'listening and address tell where the server listens': {
    setUp(server, log) {
      server.on('listening', () => {
        const address = server.address();
        log.value('listening', server.listening);
        log.value(
          'address',
          typeof address === 'object' && address !== null && [address.address, address.family, address.port > 0],
        );
      });
    },
    listener: (_req, res) => res.end(),
  },
  'listen refuses a second call': {
    listener(_req, res, log) {
      res.end();
      log.note('request');
    },
    async client({ client, server, notes }) {
      notes.attempt('listen', () => server.listen(0));
      client.send();
      return client.answer();
    },
  },
  'options must be an object': {
    setUp(server, log) {
      for (const wrong of ['x', 42, true])
        log.attempt(String(wrong), () => typeof Reflect.construct(server.constructor, [wrong]));
    },
    listener: (_req, res) => res.end(),
  },
  'options of the wrong type are refused': {
    setUp(server, log) {
      for (const options of [
        { maxHeaderSize: 'x' },
        { requestTimeout: -1 },
        { connectionsCheckingInterval: 'x' },
        { joinDuplicateHeaders: 1 },
      ]) {
        log.attempt(JSON.stringify(options), () => typeof Reflect.construct(server.constructor, [options]));
      }
    },
    listener: (_req, res) => res.end(),
  },
  'connection is emitted before request, with the socket of the request': {
    setUp: (server, log) =>
      void server.once('connection', (socket) => {
        log.value('connection', socket instanceof net.Socket);
        server.once('request', (req) => log.value('the same socket', req.socket === socket));
      }),
    listener: (_req, res) => res.end(),
  },
  'getConnections counts': {
    async listener(_req, res, log) {
      log.note('the listener works');
      await log.until('counted');
      res.end();
    },
    async client({ client, server, log, notes }) {
      client.send();
      await log.until('the listener works');
      notes.value('connections', await promisify(server.getConnections.bind(server))());
      log.note('counted');
      return client.answer();
    },
  },
  'close waits for the response under way': {
    setUp: (server, log) => log.watch(server, 'server', 'close'),
    async listener(_req, res, log) {
      log.note('the listener works');
      await log.until('close was called');
      log.watch(res, 'res', 'finish');
      res.end('answered');
    },
    client: closeWhileWorking,
  },
  'close refuses a server that is not running': {
    async listener(_req, res) {
      res.end();
    },
    async client({ client, server, notes }) {
      client.send();
      const answer = await client.answer();
      server.close(notes.callback('first close'));
      await once(server, 'close');
      server.close(notes.callback('second close'));
      return answer;
    },
  },
  'closeAllConnections breaks the response under way': {
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'finish', 'close');
      res.write('the first half');
    },
    async client({ client, server }) {
      client.send();
      await client.sawText('the first half');
      server.closeAllConnections();
      return client.answer();
    },
    allowed: ['a broken response is reset'],
  },
  'closeIdleConnections leaves the response under way alone': {
    async listener(_req, res, log) {
      log.note('the listener works');
      await log.until('closed the idle ones');
      res.end('answered');
    },
    async client({ client, server, log }) {
      client.send();
      await log.until('the listener works');
      log.value('closeIdleConnections', server.closeIdleConnections());
      log.note('closed the idle ones');
      return client.answer();
    },
  },
  'asyncDispose closes the server': {
    listener: (_req, res) => res.end(),
    async client({ client, server, notes }) {
      client.send();
      const answer = await client.answer();
      const key: symbol | undefined = Reflect.get(Symbol, 'asyncDispose');
      const dispose: unknown = key && Reflect.get(server, key);
      notes.value('dispose', typeof dispose);
      if (typeof dispose === 'function') await Reflect.apply(dispose, server, []);
      notes.value('listening', server.listening);
      return answer;
    },
  },
  'ref and unref return the server': {
    setUp(server, log) {
      log.value('unref', server.unref() === server);
      log.value('ref', server.ref() === server);
    },
    listener: (_req, res) => res.end(),
  },
  'maxConnections drops what is too much': {
    setUp(server, log) {
      server.maxConnections = 1;
      server.on('drop', (data) => {
        log.value('drop', Object.keys(data ?? {}));
        log.note('dropped');
      });
    },
    async listener(_req, res, log) {
      log.note('the listener works');
      await log.until('dropped');
      res.end('answered');
    },
    async client({ client, connect, log, notes }) {
      client.send();
      await log.until('the listener works');
      const second = await connect();
      notes.value('second', (await second.answer()).ended);
      return client.answer();
    },
  },
  'emit can be wrapped, and sees request with both objects': {
    setUp(server, log) {
      const emit = server.emit.bind(server);
      Reflect.set(server, 'emit', (event: string, ...args: unknown[]) => {
        if (event === 'request') log.value('emit', [event, ...args.map((arg) => arg?.constructor.name)]);
        return emit(event, ...args);
      });
    },
    listener: (_req, res) => res.end('body'),
  },
  'listeners can be taken off and put back': {
    setUp(server, log) {
      const [first] = server.listeners('request');
      server.removeAllListeners('request');
      server.on('request', (req, res) => {
        log.note('the wrapper');
        if (first !== undefined) Reflect.apply(first, server, [req, res]);
      });
    },
    listener: (_req, res) => res.end('body'),
  },
  'a listener is called with the server as this': {
    setUp: (server, log) =>
      void server.prependListener('request', function (this: unknown) {
        log.value('this', this === server);
      }),
    listener: (_req, res) => res.end(),
  },
  'two requests at once are served apart': {
    async listener(req, res, log) {
      if (req.url === '/') await log.until('/second is served');
      res.end(req.url);
    },
    async client({ client, connect, log, notes }) {
      client.send();
      const second = await connect({ target: '/second' });
      second.send();
      notes.value('second', (await second.answer()).body.toString('latin1'));
      log.note('/second is served');
      return client.answer();
    },
  },
  'an upgrade that nobody listens for is a request': {
    request: { upgrade: 'echo' },
    listener(req, res, log) {
      log.value('method', req.method);
      log.value('upgrade', peek(req, 'upgrade'));
      res.end('plain');
    },
  },
  'a server without a listener for request keeps the client waiting': {
    setUp: (server, log) => {
      server.removeAllListeners('request');
      log.value('listeners', server.listenerCount('request'));
    },
    async client({ client }) {
      client.send();
      await client.leave();
      return client.answer();
    },
  },
  'options that Node does not know, or that concern keep-alive, are taken': {
    setUp(server, log) {
      log.attempt(
        'construct',
        () => typeof Reflect.construct(server.constructor, [{ unknown: true, keepAlive: true }]),
      );
    },
    listener: (_req, res) => res.end(),
  },
};
