// Deadlines: of request, response, socket and server, and the settings that carry them.
import type { Answer } from '../support/answer.js';
import { invoke, peek, type BehaviourTable, type Stage } from '../support/behaviour.js';

const upload = { method: 'POST', body: 'first half, second half' } as const;
// Long enough for a request to reach its listener on a busy machine.
const soon = 200;

const settings = [
  'timeout',
  'headersTimeout',
  'requestTimeout',
  'keepAliveTimeout',
  'maxHeadersCount',
  'maxRequestsPerSocket',
] as const;

async function sendHeadOnly({ client }: Stage): Promise<Answer> {
  client.sendHead();
  return client.answer();
}

export const timeouts: BehaviourTable = {
  'the default settings of the server are those of Node': {
    allowed: ['headersTimeout'],
    setUp(server, log) {
      for (const name of settings) log.value(name, peek(server, name));
    },
    listener: (_req, res) => res.end(),
  },
  'the settings of the options show on the server': {
    options: { headersTimeout: 1234, requestTimeout: 5678, keepAliveTimeout: 910, connectionsCheckingInterval: 1000 },
    setUp(server, log) {
      for (const name of settings) log.value(name, peek(server, name));
    },
    listener: (_req, res) => res.end(),
  },
  'the settings can be changed later': {
    setUp(server, log) {
      for (const name of settings) log.attempt(name, () => Reflect.set(server, name, 4321));
      for (const name of settings) log.value(name, peek(server, name));
    },
    listener: (_req, res) => res.end(),
  },
  'headersTimeout beyond requestTimeout is refused': {
    setUp(server, log) {
      const construct = (): unknown =>
        Reflect.construct(server.constructor, [{ headersTimeout: 500, requestTimeout: 100 }]);
      log.attempt('construct', () => typeof construct());
    },
    listener: (_req, res) => res.end(),
  },
  'req.setTimeout calls back while the body does not come, and the listener may still answer': {
    request: upload,
    client: sendHeadOnly,
    listener(req, res, log) {
      log.watch(req, 'req', 'timeout', 'aborted', 'close');
      log.watch(res, 'res', 'timeout', 'finish', 'close');
      const returned = req.setTimeout(soon, () => {
        req.setTimeout(0);
        res.writeHead(503).end('too late');
      });
      log.value('returns the request', returned === req);
    },
  },
  'res.setTimeout calls back on an idle connection, and the listener may still answer': {
    listener(req, res, log) {
      log.watch(req, 'req', 'timeout', 'aborted', 'close');
      log.watch(res, 'res', 'timeout', 'finish', 'close');
      const returned = res.setTimeout(soon, () => res.writeHead(503).end('too late'));
      log.value('returns the response', returned === res);
    },
  },
  'res.setTimeout without a listener for timeout closes the connection': {
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'finish', 'close');
      res.setTimeout(soon);
    },
  },
  'server.setTimeout calls back with the socket': {
    setUp(server, log) {
      const returned = server.setTimeout(soon, (socket) => {
        log.value('the socket', [socket.constructor.name, socket.destroyed]);
        socket.destroy();
      });
      log.value('returns the server', returned === server);
      log.value('timeout', server.timeout);
    },
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'timeout', 'close');
    },
  },
  'server.timeout without a listener closes an idle connection': {
    setUp: (server) => void (server.timeout = soon),
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'close');
    },
  },
  'server.timeout breaks a response that makes no progress': {
    setUp: (server) => void (server.timeout = soon),
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'close');
      res.write('the first half');
    },
    allowed: ['a broken response is reset'],
  },
  'server.timeout closes a connection that sends nothing': {
    setUp(server, log) {
      server.setTimeout(soon);
      server.on('connection', (socket) => log.watch(socket, 'socket', 'timeout'));
      server.on('clientError', () => log.note('clientError'));
    },
    listener: (_req, _res, log) => log.note('request'),
    client: ({ client }) => client.answer(),
  },
  'a listener for timeout of the request keeps the connection': {
    request: upload,
    client: sendHeadOnly,
    setUp: (server, log) => void server.setTimeout(soon, () => log.note('server timeout')),
    listener(req, res, log) {
      log.watch(res, 'res', 'timeout', 'close');
      req.on('timeout', () => {
        log.note('req timeout');
        // A connection that lingers for the rest of the body may be idle once more.
        req.socket.setTimeout(0);
        res.end('answered');
      });
    },
  },
  'a listener for timeout of the response keeps the connection': {
    setUp: (server) => void server.setTimeout(soon),
    listener(_req, res, log) {
      res.on('timeout', (socket) => {
        log.value('res timeout', socket === res.socket);
        res.end('answered');
      });
    },
  },
  'req.socket.setTimeout calls back': {
    listener(req, res, log) {
      req.socket.setTimeout(soon, () => {
        log.note('socket timeout');
        res.end('answered');
      });
      log.value('timeout', req.socket.timeout);
      res.on('timeout', () => log.note('res timeout'));
    },
  },
  'setTimeout(0) takes a time-out back': {
    setUp: (server) => void server.setTimeout(soon),
    listener(req, res, log) {
      log.value('timeout', req.socket.timeout);
      res.setTimeout(0);
      log.value('timeout', req.socket.timeout);
      res.end('answered');
    },
  },
  'setTimeout refuses what is no time': {
    listener(req, res, log) {
      log.attempt('req', () => invoke(req, 'setTimeout', 'soon'));
      log.attempt('res', () => invoke(res, 'setTimeout', 'soon'));
      log.attempt('callback', () => invoke(res, 'setTimeout', 10, 'no function'));
      res.end();
    },
  },
  'headersTimeout answers 408 to a head that does not end': {
    options: { headersTimeout: soon, requestTimeout: soon * 2, connectionsCheckingInterval: 20 },
    listener: (_req, _res, log) => log.note('request'),
    async client({ client }) {
      client.sendPartOfHead(20);
      return client.answer();
    },
    allowed: ['error answers'],
  },
  'headersTimeout tells clientError about a head that does not end': {
    options: { headersTimeout: soon, requestTimeout: soon * 2, connectionsCheckingInterval: 20 },
    setUp: (server, log) =>
      void server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log.value('clientError', error.code);
        socket.destroy();
      }),
    listener: (_req, _res, log) => log.note('request'),
    async client({ client }) {
      client.sendPartOfHead(20);
      return client.answer();
    },
    allowed: ['error codes'],
  },
  'requestTimeout breaks a request whose body does not end': {
    options: { headersTimeout: soon, requestTimeout: soon, connectionsCheckingInterval: 20 },
    request: upload,
    listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'finish', 'close');
      req.resume();
    },
    async client({ client }) {
      client.sendHead();
      client.sendBody(0, 10);
      return client.answer();
    },
    allowed: ['error answers'],
  },
  'requestTimeout tells clientError about a body that does not end': {
    options: { headersTimeout: soon, requestTimeout: soon, connectionsCheckingInterval: 20 },
    request: upload,
    setUp: (server, log) =>
      void server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
        log.value('clientError', error.code);
        socket.destroy();
      }),
    listener(req, res, log) {
      log.watch(res, 'res', 'finish', 'close');
      req.resume();
    },
    async client({ client }) {
      client.sendHead();
      client.sendBody(0, 10);
      return client.answer();
    },
    allowed: ['error codes'],
  },
  'requestTimeout does not count the time of the listener': {
    options: { headersTimeout: soon, requestTimeout: soon, connectionsCheckingInterval: 10 },
    async listener(_req, res, log) {
      log.note('the listener works');
      await log.until('a later connection has timed out');
      res.end('answered');
    },
    async client({ client, connect, log, notes }) {
      client.send();
      await log.until('the listener works');
      const later = await connect();
      later.sendPartOfHead(20);
      notes.value('the later one', (await later.answer()).status);
      log.note('a later connection has timed out');
      return client.answer();
    },
  },
};
