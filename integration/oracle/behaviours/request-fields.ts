// The fields of the request as the listener sees them: joined, apart, raw, and those that do not get here.
import type { ServerOptions } from 'node:http';
import type { Field } from '../support/answer.js';
import type { Behaviour, BehaviourTable } from '../support/behaviour.js';

function fieldsShown(fields: readonly Field[], options: ServerOptions = {}): Behaviour {
  return {
    request: { fields },
    options,
    listener(req, res, log) {
      for (const [name, value] of Object.entries(req.headers)) {
        if (name !== 'connection') log.value(name, value);
      }
      res.end();
    },
  };
}

function withoutConnection(raw: readonly string[]): string[] {
  return raw.filter((_, index) => raw[index - (index % 2)]?.toLowerCase() !== 'connection');
}

export const requestFields: BehaviourTable = {
  'fields: single ones': fieldsShown([
    ['User-Agent', 'test/1.0'],
    ['Accept', 'text/html, */*;q=0.1'],
    ['Accept-Language', 'de'],
    ['X-Custom', 'some value'],
  ]),
  'fields: repeated ones are joined': fieldsShown([
    ['Accept', 'text/html'],
    ['X-A', '1'],
    ['Accept', 'text/plain'],
    ['X-A', '2'],
    ['X-A', '3'],
  ]),
  'fields: cookies are joined with semicolons': fieldsShown([
    ['Cookie', 'a=1'],
    ['Cookie', 'b=2; c=3'],
  ]),
  'fields: Set-Cookie is a list': fieldsShown([
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ]),
  'fields: of those that may not be repeated one counts': {
    ...fieldsShown([
      ['User-Agent', 'first'],
      ['Referer', 'http://first/'],
      ['User-Agent', 'second'],
      ['Referer', 'http://second/'],
    ]),
    allowed: ['the last of a repeated single field counts'],
  },
  'fields: joinDuplicateHeaders joins what may be repeated': fieldsShown(
    [
      ['X-A', 'first'],
      ['X-A', 'second'],
      ['Accept', 'text/plain'],
      ['Accept', 'text/html'],
    ],
    { joinDuplicateHeaders: true },
  ),
  'fields: empty values, latin1 values and blanks in a value': fieldsShown([
    ['X-Empty', ''],
    ['X-Latin1', 'Zoë ÿ'],
    ['X-Blanks', 'a  b\tc'],
  ]),
  'fields: values that look like control data': fieldsShown([
    ['X-Number', '42'],
    ['X-Proto', '__proto__'],
    ['X-Long', 'v'.repeat(4000)],
  ]),
  'fields: a hundred': fieldsShown(Array.from({ length: 100 }, (_, index): Field => [`X-Field-${index}`, `${index}`])),
  'fields: forwarding fields of the client are only fields': fieldsShown([
    ['X-Forwarded-For', '192.0.2.1'],
    ['X-Forwarded-Proto', 'https'],
    ['Forwarded', 'for=192.0.2.1'],
  ]),
  'fields: Content-Type and Content-Length of a body': {
    request: { method: 'POST', body: '{"a":1}', fields: [['Content-Type', 'application/json; charset=utf-8']] },
    listener(req, res, log) {
      log.value('type', req.headers['content-type']);
      log.value('length', req.headers['content-length']);
      req.resume().on('end', () => res.end());
    },
  },
  'fields: a GET has neither Content-Type nor Content-Length': {
    listener(req, res, log) {
      log.value('has type', 'content-type' in req.headers);
      log.value('has length', 'content-length' in req.headers);
      res.end();
    },
  },
  'fields: a POST of length 0 has Content-Length 0': {
    request: { method: 'POST', body: '' },
    listener(req, res, log) {
      log.value('length', req.headers['content-length']);
      req.resume().on('end', () => res.end('no body'));
    },
  },
  'fields: the hop-by-hop ones of the client do not get here': {
    request: {
      fields: [
        ['Keep-Alive', 'timeout=5'],
        ['TE', 'trailers'],
        ['X-A', '1'],
      ],
    },
    listener(req, res, log) {
      log.value('connection', req.headers.connection);
      log.value('keep-alive', req.headers['keep-alive']);
      log.value('te', req.headers['te']);
      log.value('x-a', req.headers['x-a']);
      res.end();
    },
    allowed: ['hop-by-hop request fields'],
  },
  'rawHeaders hold names and values in order': {
    request: {
      fields: [
        ['X-Mixed-Case', 'Value'],
        ['X-A', '1'],
        ['X-A', '2'],
      ],
    },
    listener(req, res, log) {
      const raw = withoutConnection(req.rawHeaders);
      log.value(
        'raw names',
        raw.filter((_, index) => index % 2 === 0),
      );
      log.value(
        'raw values',
        raw.filter((_, index) => index % 2 === 1),
      );
      res.end();
    },
    allowed: ['case of raw field names'],
  },
  'headersDistinct keeps repeated values apart': {
    request: {
      fields: [
        ['X-A', '1'],
        ['X-A', '2'],
        ['X-B', '3'],
      ],
    },
    listener(req, res, log) {
      const { host, 'x-a': a, 'x-b': b } = req.headersDistinct;
      log.value('distinct', { host, a, b });
      log.value('prototype', Object.getPrototypeOf(req.headersDistinct));
      res.end();
    },
  },
  'a request without trailers has empty ones': {
    request: { method: 'POST', body: 'body' },
    async listener(req, res, log) {
      req.resume();
      req.on('end', () => {
        log.value('trailers', [req.trailers, req.rawTrailers, req.trailersDistinct]);
        res.end();
      });
    },
  },
  'headers can be changed and replaced by middleware': {
    listener(req, res, log) {
      req.headers['x-added'] = '1';
      delete req.headers.host;
      log.value('added', req.headers['x-added']);
      log.value('host', req.headers.host);
      req.headers = { replaced: 'yes' };
      log.value('headers', req.headers);
      res.end();
    },
  },
  'maxHeadersCount does not hide fields': {
    allowed: ['maxHeadersCount'],
    setUp: (server) => void (server.maxHeadersCount = 3),
    request: {
      fields: [
        ['X-1', '1'],
        ['X-2', '2'],
        ['X-3', '3'],
        ['X-4', '4'],
      ],
    },
    listener(req, res, log) {
      log.value('names', Object.keys(req.headers));
      res.end();
    },
  },
};
