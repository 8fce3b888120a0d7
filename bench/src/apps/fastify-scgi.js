import { serveScgi } from '@scgi/adapter-fastify';
import { app } from './fastify-hello.js';
import { serve } from './listen.js';

await serve((options) => serveScgi(app, options));
