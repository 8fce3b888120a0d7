import { serveScgi } from '@scgi/adapter-koa';
import { app } from './koa-hello.js';
import { serve } from './listen.js';

await serve((options) => serveScgi(app, options));
