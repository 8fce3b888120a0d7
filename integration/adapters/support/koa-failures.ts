// How Koa applications fail, before the head of the response and behind it. Data only.

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { folder, type Behaviour } from './koa-behaviours.js';

const failingStream = (): Readable =>
  new Readable({
    read() {
      this.destroy(new Error('the disk is gone'));
    },
  });

export const failures: readonly Behaviour[] = [
  {
    what: 'ctx.throw with a message for the client',
    use: (ctx) => ctx.throw(400, 'no name', { headers: { 'X-Why': 'name' } }),
    expected: { status: 400, text: 'no name', headers: { 'x-why': 'name' } },
    errors: ['no name'],
  },
  {
    what: 'ctx.throw with a status of the server',
    use: (ctx) => ctx.throw(503, 'secret'),
    expected: { status: 503, text: 'Service Unavailable' },
    errors: ['secret'],
  },
  {
    what: 'a throw, which takes the fields back that were set',
    use: (ctx) => {
      ctx.set('X-Gone', 'yes');
      throw new Error('secret');
    },
    expected: { status: 500, text: 'Internal Server Error' },
    errors: ['secret'],
  },
  {
    what: 'an error that may be shown',
    use: () => Promise.reject(Object.assign(new Error('shown'), { expose: true })),
    expected: { status: 500, text: 'shown' },
    errors: ['shown'],
  },
  {
    what: 'a throw of something else',
    use: () => Promise.reject('text'),
    expected: { status: 500 },
    errors: ['non-error thrown: "text"'],
  },
  {
    what: 'a stream that fails before its first byte',
    use: (ctx) => void (ctx.body = failingStream()),
    expected: {},
    errors: ['the disk is gone'],
  },
  {
    what: 'a file that is not there',
    use: (ctx) => void (ctx.body = createReadStream(join(folder, 'none'))),
    expected: {},
    errors: [`ENOENT: no such file or directory, open '${join(folder, 'none')}'`],
  },
  {
    what: 'a stream that fails behind the head',
    use: (ctx) => {
      const stream = new PassThrough();
      stream.write('half', () => setImmediate(() => stream.destroy(new Error('the disk is gone'))));
      ctx.body = stream;
    },
    expected: {},
    since: 3, // Koa 2 leaves the response open.
    errors: ['the disk is gone'],
  },
  {
    what: 'a throw behind the head',
    use: async (ctx) => {
      ctx.respond = false;
      ctx.res.writeHead(200).write('half');
      setImmediate(() => ctx.res.end());
      throw new Error('late');
    },
    expected: { status: 200, text: 'half' },
    errors: ['late'],
  },
];
