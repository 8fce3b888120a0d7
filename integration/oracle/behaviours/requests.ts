// The request as the listener sees it: method, target, version, peer, classes.
import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { peek, type Behaviour, type BehaviourTable } from '../support/behaviour.js';

function method(name: string, body?: string): Behaviour {
  return {
    request: body === undefined ? { method: name } : { method: name, body },
    listener: (req, res, log) => {
      log.value('method', req.method);
      req.resume().on('end', () => res.end());
    },
  };
}

function target(url: string): Behaviour {
  return {
    request: { target: url },
    listener(req, res, log) {
      log.value('url', req.url);
      res.end();
    },
  };
}

export const requests: BehaviourTable = {
  'req.method: GET': method('GET'),
  'req.method: POST': method('POST', 'body'),
  'req.method: PUT': method('PUT', 'body'),
  'req.method: PATCH': method('PATCH', 'body'),
  'req.method: DELETE': method('DELETE'),
  'req.method: OPTIONS': method('OPTIONS'),
  'req.method: PROPFIND': method('PROPFIND', '<xml/>'),
  'req.method: M-SEARCH': method('M-SEARCH'),
  'req.url keeps a query': target('/path?a=1&b=%20&c=a+b'),
  'req.url keeps an empty query': target('/path?'),
  'req.url keeps escapes as they were sent': target('/a%2Fb/%e2%82%ac/%E2%82%AC/%00'),
  'req.url keeps empty and dot segments': target('//host//a/./b/../c//'),
  'req.url keeps characters that are rarely escaped': target("/~a;b=1,2:@!$&'()*+"),
  'req.url keeps a second question mark': target('/?a=?b??'),
  'req.url may be long': target(`/${'long/'.repeat(1500)}`),
  'req.url is * for OPTIONS *': { ...method('OPTIONS'), ...target('*'), request: { method: 'OPTIONS', target: '*' } },
  'the HTTP version is 1.1': {
    listener(req, res, log) {
      log.value('version', [req.httpVersion, req.httpVersionMajor, req.httpVersionMinor]);
      res.end();
    },
  },
  'the HTTP version is 1.0 for an old client': {
    request: { protocol: 'HTTP/1.0' },
    listener(req, res, log) {
      log.value('version', [req.httpVersion, req.httpVersionMajor, req.httpVersionMinor]);
      res.end();
    },
  },
  'statusCode and statusMessage of a request are null': {
    listener(req, res, log) {
      log.value('status', [req.statusCode, req.statusMessage]);
      res.end();
    },
  },
  'method and url can be changed by middleware': {
    listener(req, res, log) {
      req.url = '/rewritten';
      req.method = 'PUT';
      log.value('now', [req.method, req.url]);
      res.end();
    },
  },
  'the peer of the request is the HTTP client': {
    listener(req, res, log) {
      const { remoteAddress, remoteFamily, remotePort, localAddress, localPort } = req.socket;
      log.value('remote', [remoteAddress, remoteFamily, typeof remotePort]);
      log.value('local', [localAddress, typeof localPort]);
      log.value('encrypted', Boolean(peek(req.socket, 'encrypted')));
      res.setHeader('X-Remote-Port', String(remotePort)).end();
    },
    allowed: ['local address'],
    async client({ client, notes }) {
      client.send();
      const { localPort } = client.socket;
      const answer = await client.answer();
      const told = answer.fields.find(([name]) => name === 'X-Remote-Port');
      notes.value('the port is ours', told?.[1] === String(localPort));
    },
  },
  'the port of the server is known to the listener': {
    listener: (req, res) => res.setHeader('X-Local-Port', String(req.socket.localPort)).end(),
    async client({ client, notes, port }) {
      client.send();
      const answer = await client.answer();
      notes.value(
        'the port is right',
        answer.fields.some(([, value]) => value === String(port)),
      );
    },
  },
  'the address of the peer after the socket has closed': {
    listener(req, res, log) {
      const { socket } = req;
      const closed = log.callback('socket close');
      socket.on('close', () => {
        log.value('remote family', socket.remoteFamily);
        closed();
      });
      res.end();
    },
    allowed: ['the peer stays known'],
  },
  'objects are of the classes of node:http': {
    listener(req, res, log) {
      log.value('request', [req instanceof http.IncomingMessage, req instanceof Readable, req instanceof EventEmitter]);
      log.value('response', [res instanceof http.ServerResponse, res instanceof http.OutgoingMessage]);
      log.value('socket', [req.socket instanceof Socket, req.socket instanceof EventEmitter]);
      log.value('names', [req.constructor.name, res.constructor.name]);
      res.end();
    },
  },
  'request, response and socket know one another': {
    listener(req, res, log) {
      const { socket } = req;
      log.value('res.req', res.req === req);
      log.value('sockets', [res.socket === socket, res.connection === socket, socket === connectionOf(req)]);
      log.value('socket.server', peek(socket, 'server') !== undefined);
      log.value('socket._httpMessage', peek(socket, '_httpMessage') === res);
      res.end();
    },
  },
  'IncomingMessage and ServerResponse of the options are used': {
    options: {
      IncomingMessage: class Mine extends http.IncomingMessage {},
      ServerResponse: class Ours<T extends IncomingMessage> extends http.ServerResponse<T> {},
    },
    listener(req, res, log) {
      log.value('names', [req.constructor.name, res.constructor.name]);
      res.end('body');
    },
  },
};

function connectionOf(req: IncomingMessage): unknown {
  return peek(req, 'connection');
}
