import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { serveCgi } from '@scgi/adapter-koa';
import Koa from 'koa';
import { gate, note } from './notes.js';

const app = new Koa();
const routes = {
  '/facts': (ctx) => {
    const { originalUrl, ip, protocol } = ctx;
    ctx.body = { url: ctx.scgi.basePath + ctx.url, originalUrl, ip, protocol, user: ctx.scgi.env.HTTP_USER_AGENT };
  },
  '/shout': async (ctx) => {
    ctx.body = (await text(ctx.req)).toUpperCase();
  },
  '/events': (ctx) => {
    const events = new PassThrough();
    ctx.type = 'text/event-stream';
    ctx.body = events;
    events.write('data: 1\n\n');
    void gate('1').then(() => events.end('data: 2\n\n'));
  },
  '/work': (ctx) => {
    ctx.res.on('finish', () => note('work'));
    ctx.body = 'done';
  },
};
app.use((ctx) => routes[ctx.path]?.(ctx));

await serveCgi(app);
