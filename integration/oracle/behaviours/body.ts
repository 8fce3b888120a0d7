// Writing the body: forms of write and end, encodings, callbacks, corking, back-pressure.
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { invoke, pattern, type BehaviourTable } from '../support/behaviour.js';

const mebibyte = 1_048_576;

export const body: BehaviourTable = {
  'end takes a string': {
    listener: (_req, res, log) => log.value('returns the response', res.end('grün €') === res),
  },
  'end takes a Buffer': {
    listener: (_req, res) => res.end(Buffer.from([0, 1, 2, 253, 254, 255])),
  },
  'end takes a Uint8Array': {
    listener: (_req, res) => res.end(Uint8Array.of(0, 127, 128, 255)),
  },
  'end takes an encoding': {
    listener: (_req, res) => res.end('grün', 'latin1'),
  },
  'write takes every encoding': {
    listener(_req, res) {
      res.write('grün ', 'utf8');
      res.write('grün ', 'latin1');
      res.write('6869', 'hex');
      res.write('aGk=', 'base64');
      res.write('aGk', 'base64url');
      res.write('hi', 'utf16le');
      res.write('\u{1F600}', 'utf8');
      res.end('!', 'ascii');
    },
  },
  'setDefaultEncoding is not part of a response': {
    listener(_req, res, log) {
      log.attempt('setDefaultEncoding', () => invoke(res, 'setDefaultEncoding', 'latin1'));
      res.end();
    },
  },
  'end calls back once the response is finished': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'finish');
      res.end(log.callback('end callback'));
      log.note('end returned');
    },
  },
  'end takes data and a callback': {
    listener: (_req, res, log) => res.end('data', log.callback('end callback')),
  },
  'end takes data, an encoding and a callback': {
    listener: (_req, res, log) => res.end('6869', 'hex', log.callback('end callback')),
  },
  'write calls back, in order': {
    listener(_req, res, log) {
      res.write('a', log.callback('first'));
      res.write('b', 'utf8', log.callback('second'));
      res.end('c', log.callback('end'));
    },
  },
  'write returns true while the buffer has room': {
    listener(_req, res, log) {
      log.value('string', res.write('small'));
      log.value('buffer', res.write(Buffer.from('small')));
      log.value('writableNeedDrain', res.writableNeedDrain);
      res.end();
    },
  },
  'empty writes send the head and nothing else': {
    listener(_req, res, log) {
      log.attempt('string', () => res.write(''));
      log.value('headersSent', res.headersSent);
      log.attempt('buffer', () => res.write(Buffer.alloc(0), log.callback('callback')));
      res.write('body');
      log.attempt('again', () => res.write(''));
      res.end('');
    },
  },
  'end takes nothing, null, undefined and the empty string': {
    listener(_req, res, log) {
      res.write('body');
      log.attempt('end', () => invoke(res, 'end', null, null, log.callback('callback')) === res);
    },
  },
  'end with the empty string sets Content-Length 0': {
    listener: (_req, res) => res.end(''),
  },
  'write refuses null, numbers, objects and nothing': {
    listener(_req, res, log) {
      for (const wrong of [null, 42, {}, [], true, undefined]) {
        log.attempt(`write(${JSON.stringify(wrong)})`, () => invoke(res, 'write', wrong));
      }
      log.value('headersSent', res.headersSent);
      res.end('still fine');
    },
  },
  'end refuses numbers and objects': {
    listener(_req, res, log) {
      for (const wrong of [42, {}, true]) log.attempt(`end(${JSON.stringify(wrong)})`, () => invoke(res, 'end', wrong));
      log.value('writableEnded', res.writableEnded);
      res.end('still fine');
    },
  },
  'strings and Buffers mix': {
    listener(_req, res) {
      res.write('one');
      res.write(Buffer.from([32, 0xe9, 32]));
      res.write('drei', 'latin1');
      res.end(Uint8Array.of(33));
    },
  },
  'writes in later turns arrive one by one': {
    async listener(_req, res, log) {
      res.write('first.');
      await log.until('the client saw the first part');
      res.write('second.');
      await log.until('the client saw the second part');
      res.end('third.');
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('first.');
      log.note('the client saw the first part');
      await client.sawText('second.');
      log.note('the client saw the second part');
      return client.answer();
    },
  },
  'cork holds writes back until uncork': {
    listener(_req, res, log) {
      res.cork();
      log.value('write', res.write('one '));
      log.value('writableCorked', res.writableCorked);
      res.write('two ');
      res.uncork();
      log.value('writableCorked', res.writableCorked);
      res.end('three');
    },
  },
  'a body of 4 MiB in one end arrives whole': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close');
      res.end(pattern(4 * mebibyte));
    },
  },
  'a string of 1 MiB of two-octet characters arrives whole': {
    listener: (_req, res) => res.end('ü'.repeat(mebibyte)),
  },
  'a thousand small writes arrive in order': {
    listener(_req, res) {
      for (let index = 0; index < 1000; index++) res.write(`${index},`);
      res.end();
    },
  },
  'write returns false on a full buffer, and drain follows once the client reads': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'drain', 'finish');
      const chunk = pattern(mebibyte);
      // Far above what the kernel buffers of a loopback connection take while the client is not reading.
      for (let index = 0; index < 12; index++) res.write(chunk);
      log.value('write', res.write(chunk));
      log.value('writableNeedDrain', res.writableNeedDrain);
      log.note('the buffer is full');
      await once(res, 'drain');
      log.value('writableNeedDrain after drain', res.writableNeedDrain);
      log.value('writableLength after drain', res.writableLength);
      res.end();
    },
    client: readLate,
  },
  'a second round of back-pressure gives a second drain': {
    async listener(_req, res, log) {
      const chunk = pattern(mebibyte);
      for (const round of ['first', 'second', 'third']) {
        log.value(`${round} write`, res.write(chunk));
        await once(res, 'drain');
      }
      res.end();
    },
  },
  'pipe obeys back-pressure of a client that reads late': {
    listener(_req, res, log) {
      const source = Readable.from(Array.from({ length: 12 }, () => pattern(mebibyte)));
      log.watch(res, 'res', 'pipe', 'unpipe', 'finish');
      source.once('pause', () => log.note('the buffer is full'));
      source.pipe(res);
    },
    client: readLate,
  },
  'pipe works after a drain of the listener': {
    async listener(_req, res, log) {
      log.value('write', res.write(pattern(mebibyte)));
      await once(res, 'drain');
      Readable.from(['tail, ', 'piped']).pipe(res);
    },
  },
  'pipeline from a generator ends the response': {
    async listener(_req, res, log) {
      await pipeline(async function* () {
        for (let index = 0; index < 32; index++) yield pattern(100_000);
      }, res);
      log.note('pipeline is done');
      log.value('writableFinished', res.writableFinished);
    },
  },
  'pipeline through gzip ends the response': {
    async listener(_req, res, log) {
      res.setHeader('Content-Encoding', 'gzip');
      await pipeline(Readable.from(['compressed '.repeat(1000)]), createGzip(), res);
      log.note('pipeline is done');
    },
  },
  'a source that fails breaks the response': {
    async listener(_req, res, log) {
      log.watch(res, 'res', 'finish', 'close');
      const failing = async function* (): AsyncGenerator<string> {
        yield 'first part';
        await log.until('the client saw the first part');
        throw new Error('the source failed');
      };
      await pipeline(failing, res).catch((error: Error) => log.note(error.message));
    },
    async client({ client, log }) {
      client.send();
      await client.sawText('first part');
      log.note('the client saw the first part');
      return client.answer();
    },
    allowed: ['a broken response is reset'],
  },
  'a response cannot be piped from': {
    listener(_req, res, log) {
      log.watch(res, 'res', 'error');
      log.attempt('pipe', () => invoke(res, 'pipe', process.stdout));
      res.end();
    },
  },
  'writableHighWaterMark, writableLength and writableObjectMode of a fresh response': {
    listener(_req, res, log) {
      log.value('writableHighWaterMark', res.writableHighWaterMark);
      log.value('writableObjectMode', res.writableObjectMode);
      log.value('writableLength', res.writableLength);
      res.end('body');
    },
  },
  'highWaterMark of the server sets that of request and response': {
    options: { highWaterMark: 1000 },
    listener(req, res, log) {
      log.value('request', req.readableHighWaterMark);
      log.value('response', res.writableHighWaterMark);
      log.value('write', res.write('x'.repeat(1000)));
      res.end();
    },
  },
  'write callbacks are called before end callbacks when the client reads late': {
    listener(_req, res, log) {
      res.write(pattern(6 * mebibyte), log.callback('write callback'));
      res.end('end', log.callback('end callback'));
      log.note('the buffer is full');
    },
    client: readLate,
  },
};

// A client that starts to read only when the listener says that its buffers are full.
async function readLate({ client, log }: Parameters<NonNullable<BehaviourTable[string]['client']>>[0]) {
  client.socket.pause();
  client.send();
  await log.until('the buffer is full');
  client.socket.resume();
  return client.answer();
}
