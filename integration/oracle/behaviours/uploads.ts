// Reading the request body: every way a listener may consume it, or leave it.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { invoke, pattern, type BehaviourTable, type Stage } from '../support/behaviour.js';
import type { Answer } from '../support/answer.js';

const small = { method: 'POST', body: 'a small body' } as const;
const large = { method: 'PUT', body: pattern(3_000_000) } as const;

async function inTwoParts({ client, log }: Stage): Promise<Answer> {
  client.sendHead();
  client.sendBody(0, 5);
  await log.until('the first part was read');
  client.sendBody(5);
  return client.answer();
}

export const uploads: BehaviourTable = {
  'data and end deliver the body': {
    request: small,
    listener(req, res, log) {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        log.value('complete', req.complete);
        res.end(Buffer.concat(chunks));
      });
    },
  },
  'data arrives as Buffers': {
    request: small,
    listener: (req, res, log) => {
      req.on('data', (chunk: unknown) => log.value('is a Buffer', Buffer.isBuffer(chunk)));
      req.on('end', () => res.end());
    },
  },
  'readable and read() deliver the body': {
    request: small,
    listener(req, res) {
      let body = '';
      req.on('readable', () => {
        for (let chunk: unknown = req.read(); chunk !== null; chunk = req.read()) body += String(chunk);
      });
      req.on('end', () => res.end(body));
    },
  },
  'read(n) delivers n octets': {
    request: small,
    async listener(req, res, log) {
      await once(req, 'readable');
      log.value('three', String(req.read(3)));
      log.value('four', String(req.read(4)));
      res.end(String(req.read()));
    },
  },
  'setEncoding makes strings of characters cut in two': {
    request: { method: 'POST', body: 'aaaa€uro' },
    async listener(req, res, log) {
      log.value('returns the request', req.setEncoding('utf8') === req);
      log.value('readableEncoding', req.readableEncoding);
      let body = '';
      req.on('data', (chunk: unknown) => {
        body += String(chunk);
        if (body === 'aaaa') log.note('the first part was read');
      });
      await once(req, 'end');
      res.end(body);
    },
    client: inTwoParts,
  },
  'setEncoding refuses unknown encodings': {
    request: small,
    listener(req, res, log) {
      log.attempt('setEncoding', () => invoke(req, 'setEncoding', 'nonsense'));
      req.resume().on('end', () => res.end());
    },
  },
  'async iteration delivers the body': {
    request: small,
    async listener(req, res) {
      let body = '';
      for await (const chunk of req) body += String(chunk);
      res.end(body);
    },
  },
  'leaving an async iteration early destroys the request, and the listener may still answer': {
    request: large,
    async listener(req, res, log) {
      log.watch(req, 'req', 'aborted', 'close');
      log.watch(res, 'res', 'close');
      for await (const chunk of req) {
        log.value('some octets', Buffer.byteLength(chunk) > 0);
        break;
      }
      log.value('destroyed', req.destroyed);
      res.end('enough');
    },
  },
  'the body can be read by a late reader': {
    request: small,
    async listener(req, res, log) {
      log.note('the first part was read');
      await turn();
      res.end(await text(req));
    },
    client: inTwoParts,
  },
  'pause stops the data, resume continues it': {
    request: small,
    async listener(req, res, log) {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      await once(req, 'data');
      req.pause();
      log.value('isPaused', req.isPaused());
      log.note('the first part was read');
      await log.until('the rest was sent');
      log.value('body while paused', body);
      req.resume();
      await once(req, 'end');
      res.end(body);
    },
    async client({ client, log }) {
      client.sendHead();
      client.sendBody(0, 5);
      await log.until('the first part was read');
      client.sendBody(5);
      log.note('the rest was sent');
      return client.answer();
    },
  },
  'a body of 3 MB arrives unchanged': {
    request: large,
    async listener(req, res) {
      const hash = createHash('sha256');
      await pipeline(req, hash);
      res.end(hash.digest('hex'));
    },
  },
  'a body of 500 kB read slowly arrives unchanged': {
    request: { method: 'PUT', body: pattern(500_000) },
    async listener(req, res) {
      let octets = 0;
      const slow = new Writable({
        highWaterMark: 1000,
        write(chunk: Buffer, _encoding, done) {
          octets += chunk.byteLength;
          setImmediate(done);
        },
      });
      await pipeline(req, slow);
      res.end(String(octets));
    },
  },
  'a body of 3 MB can be piped back': {
    request: large,
    listener: (req, res) => void req.pipe(res),
  },
  'a body of 3 MB can be piped back through a transform': {
    request: large,
    async listener(req, res) {
      const invert = new Transform({
        transform: (chunk: Buffer, _encoding, done) =>
          done(
            null,
            chunk.map((octet) => 255 - octet),
          ),
      });
      await pipeline(req, invert, res);
    },
  },
  'a body that comes byte by byte arrives unchanged': {
    request: small,
    async listener(req, res) {
      res.end(await text(req));
    },
    async client({ client }) {
      await client.sendByteByByte();
      return client.answer();
    },
  },
  'the answer can begin before the body has arrived': {
    request: small,
    listener(req, res, log) {
      res.write('begun,');
      req.on('data', () => log.note('the first part was read'));
      req.on('end', () => res.end('ended'));
    },
    async client({ client }) {
      client.sendHead();
      await client.sawText('begun,');
      client.sendBody();
      return client.answer();
    },
  },
  'request and response stream at the same time': {
    request: small,
    listener(req, res) {
      req.on('data', (chunk: Buffer) => res.write(`[${chunk.toString('latin1')}]`));
      req.on('end', () => res.end('!'));
    },
    async client({ client }) {
      client.sendHead();
      client.sendBody(0, 5);
      await client.sawText('[a sma]');
      client.sendBody(5);
      return client.answer();
    },
  },
  'a request without a body ends at once': {
    async listener(req, res, log) {
      req.on('data', () => log.note('data'));
      await once(req, 'end');
      log.value('complete', req.complete);
      res.end('no body');
    },
  },
  'a request of length 0 ends at once': {
    request: { method: 'POST', body: '' },
    async listener(req, res, log) {
      req.on('data', () => log.note('data'));
      await once(req, 'end');
      res.end('no body');
    },
  },
  'a GET may have a body': {
    request: { method: 'GET', body: 'unusual' },
    async listener(req, res) {
      res.end(await text(req));
    },
  },
  'a chunked request arrives without its framing': {
    request: { method: 'POST', body: 'in chunks', chunked: true },
    async listener(req, res, log) {
      log.value('transfer-encoding', req.headers['transfer-encoding']);
      log.value('content-length', req.headers['content-length']);
      res.end(await text(req));
    },
    allowed: ['hop-by-hop request fields', 'length of a chunked request'],
  },
  'an unread body of 3 MB does not hinder the answer': {
    request: large,
    listener(req, res, log) {
      log.watch(req, 'req', 'end', 'aborted', 'close');
      res.end('not read');
    },
    allowed: ['the rest of the body is read'],
  },
  'a partly read body does not hinder the answer': {
    request: small,
    async listener(req, res, log) {
      await once(req, 'readable');
      log.value('start', String(req.read(3)));
      res.end('enough');
    },
  },
  'a body of 3 MB paused half-way does not keep the connection': {
    request: large,
    // HTTP closes at once. We wait for the rest, since a reset could reach the client before the answer, but not long.
    options: { lingerTimeout: 100, connectionsCheckingInterval: 20 },
    async listener(req, res, log) {
      log.watch(res, 'res', 'finish', 'close');
      await once(req, 'data');
      req.pause();
      res.end('enough');
    },
  },
  'unshift gives octets back': {
    request: small,
    async listener(req, res) {
      await once(req, 'readable');
      req.unshift(Buffer.from(String(req.read(7)).toUpperCase()));
      res.end(await text(req));
    },
  },
  'Readable.toWeb delivers the body': {
    request: small,
    async listener(req, res) {
      let body = '';
      for await (const chunk of Readable.toWeb(req)) body += Buffer.from(chunk).toString();
      res.end(body);
    },
  },
  'the body can be parsed as JSON by its declared length': {
    request: { method: 'POST', body: '{"name":"Zoë"}', fields: [['Content-Type', 'application/json']] },
    async listener(req, res, log) {
      const body = await text(req);
      log.value('length', Number(req.headers['content-length']) === Buffer.byteLength(body));
      res.setHeader('Content-Type', 'application/json').end(JSON.stringify(JSON.parse(body)));
    },
  },
};
