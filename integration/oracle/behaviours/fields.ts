// Response fields before the head is made: set, get, append, remove, list, and what is refused.
import { invoke, type BehaviourTable } from '../support/behaviour.js';

export const fields: BehaviourTable = {
  'setHeader returns the response and keeps the case of the name on the wire': {
    listener(_req, res, log) {
      log.value('returns the response', res.setHeader('X-MiXeD-CaSe', 'Value') === res);
      log.value('getHeader', res.getHeader('x-mixed-case'));
      res.end();
    },
  },
  'setHeader replaces a field of any case, in its place': {
    listener(_req, res) {
      res.setHeader('X-First', '1');
      res.setHeader('X-Second', '2');
      res.setHeader('x-first', '3');
      res.end();
    },
  },
  'getHeader returns values with their types': {
    listener(_req, res, log) {
      res.setHeader('X-Number', 42);
      res.setHeader('X-List', ['a', 'b']);
      log.value('number', res.getHeader('X-NUMBER'));
      log.value('list', res.getHeader('x-list'));
      log.value('absent', res.getHeader('x-none'));
      res.end();
    },
  },
  'getHeaders, getHeaderNames, getRawHeaderNames and hasHeader agree': {
    listener(_req, res, log) {
      res.setHeader('X-One', '1');
      res.setHeader('Content-Type', 'text/plain');
      log.value('getHeaders', res.getHeaders());
      log.value('getHeaderNames', res.getHeaderNames());
      log.value('getRawHeaderNames', invoke(res, 'getRawHeaderNames'));
      log.value('hasHeader', [res.hasHeader('X-ONE'), res.hasHeader('x-two')]);
      res.end();
    },
  },
  'a fresh response has no fields': {
    listener(_req, res, log) {
      log.value('getHeaders', res.getHeaders());
      log.value('getHeaderNames', res.getHeaderNames());
      log.value('has connection', res.hasHeader('connection'));
      log.value('has date', res.hasHeader('date'));
      res.end();
    },
  },
  'the getters still answer after the head was sent': {
    listener(_req, res, log) {
      res.setHeader('X-A', '1');
      res.end('body');
      log.value('getHeaders', res.getHeaders());
      log.value('hasHeader', res.hasHeader('x-a'));
      log.value('getHeader', res.getHeader('x-a'));
    },
  },
  'removeHeader removes a field of any case': {
    listener(_req, res, log) {
      res.setHeader('X-Gone', '1');
      res.setHeader('X-Stays', '2');
      log.value('removeHeader', res.removeHeader('x-gone'));
      log.value('hasHeader', res.hasHeader('X-Gone'));
      res.end();
    },
  },
  'appendHeader makes one field into several': {
    listener(_req, res, log) {
      res.setHeader('Set-Cookie', 'a=1');
      log.value('returns the response', res.appendHeader('set-cookie', 'b=2') === res);
      res.appendHeader('X-New', '1').appendHeader('X-New', ['2', '3']);
      log.value('cookies', res.getHeader('set-cookie'));
      log.value('new', res.getHeader('x-new'));
      res.end();
    },
  },
  'setHeaders takes Headers and a Map': {
    listener(_req, res, log) {
      invoke(
        res,
        'setHeaders',
        new Headers([
          ['X-A', '1'],
          ['X-B', '2'],
        ]),
      );
      invoke(res, 'setHeaders', new Map([['X-C', '3']]));
      log.value('getHeaders', res.getHeaders());
      res.end();
    },
  },
  'setHeaders keeps every Set-Cookie of Headers': {
    listener(_req, res) {
      const cookies = new Headers();
      cookies.append('Set-Cookie', 'a=1');
      cookies.append('Set-Cookie', 'b=2');
      invoke(res, 'setHeaders', cookies);
      res.end();
    },
  },
  'setHeaders refuses what is neither Headers nor Map': {
    listener(_req, res, log) {
      for (const wrong of [{}, [], null, 'x']) log.attempt('setHeaders', () => invoke(res, 'setHeaders', wrong));
      res.end();
    },
  },
  'setHeader refuses names that are no token': {
    listener(_req, res, log) {
      for (const name of ['X Y', 'X:', '', 'X\r\n', 42, undefined]) {
        log.attempt(`setHeader(${JSON.stringify(name)})`, () => invoke(res, 'setHeader', name, 'v'));
      }
      res.end();
    },
  },
  'setHeader refuses values with line breaks, NUL, octets beyond latin1, and undefined': {
    listener(_req, res, log) {
      for (const value of ['a\nb', 'a\rb', 'a\0b', '€', undefined, ['ok', 'a\nb']]) {
        log.attempt(`setHeader(${JSON.stringify(value)})`, () => invoke(res, 'setHeader', 'X-A', value));
      }
      log.value('hasHeader', res.hasHeader('X-A'));
      res.end();
    },
  },
  'appendHeader refuses what setHeader refuses': {
    listener(_req, res, log) {
      log.attempt('name', () => res.appendHeader('X Y', '1'));
      log.attempt('value', () => res.appendHeader('X-A', 'a\nb'));
      res.end();
    },
  },
  'getHeader and removeHeader refuse names that are no string': {
    listener(_req, res, log) {
      for (const method of ['getHeader', 'hasHeader', 'removeHeader'])
        log.attempt(method, () => invoke(res, method, 42));
      res.end();
    },
  },
  'every change of a field throws once the head is sent': {
    listener(_req, res, log) {
      res.flushHeaders();
      log.attempt('setHeader', () => res.setHeader('X-A', '1'));
      log.attempt('appendHeader', () => res.appendHeader('X-A', '1'));
      log.attempt('removeHeader', () => res.removeHeader('X-A'));
      log.attempt('setHeaders', () => invoke(res, 'setHeaders', new Map([['X-A', '1']])));
      res.end();
    },
  },
  'latin1 values pass as single octets': {
    listener: (_req, res) => res.setHeader('X-Name', 'Zoë ÿ').end(),
  },
  'empty values, tabs and blanks around a value pass as they are': {
    listener: (_req, res) => res.setHeader('X-Empty', '').setHeader('X-Tab', 'a\tb').setHeader('X-Blank', ' v ').end(),
  },
  'an empty list sends no field': {
    listener: (_req, res) => res.setHeader('X-List', []).setHeader('X-After', '1').end(),
  },
  'many Set-Cookie fields keep their number and order': {
    listener(_req, res) {
      res.setHeader(
        'Set-Cookie',
        Array.from({ length: 30 }, (_, index) => `cookie${index}=${index}; Path=/; HttpOnly`),
      );
      res.end();
    },
  },
  'repeated fields stay apart': {
    listener: (_req, res) =>
      res.setHeader('Link', ['</a>; rel=preload', '</b>; rel=preload']).setHeader('Vary', ['A', 'B']).end(),
  },
  'uniqueHeaders joins what would be repeated': {
    options: { uniqueHeaders: ['x-list'] },
    listener: (_req, res) => res.setHeader('X-List', ['1', '2']).setHeader('X-Other', ['1', '2']).end(),
  },
  'fields keep the order in which they were set': {
    listener(_req, res) {
      for (const name of ['X-Z', 'Content-Type', 'X-A', 'ETag', 'Cache-Control']) res.setHeader(name, `"${name}"`);
      res.end('body');
    },
  },
  'two hundred fields and one of 16 KiB pass': {
    listener(_req, res) {
      for (let index = 0; index < 200; index++) res.setHeader(`X-Field-${index}`, String(index));
      res.setHeader('X-Large', 'x'.repeat(16_384)).end();
    },
  },
  'a Date of the listener passes': {
    listener: (_req, res) => res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT').end(),
  },
  'sendDate = false leaves the Date out': {
    listener(_req, res) {
      res.sendDate = false;
      res.end('body');
    },
  },
  'a field named Status does not reach the client': {
    listener: (_req, res) => res.writeHead(200, { Status: '500 Wrong', 'X-A': '1' }).end('body'),
    allowed: ['status field'],
  },
  'X-Accel and other private fields pass': {
    listener: (_req, res) => res.setHeader('X-Accel-Redirect', '/internal').setHeader('X-Sendfile', '/f').end(),
  },
};
