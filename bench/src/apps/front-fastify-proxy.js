import proxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { listen } from './listen.js';

const app = fastify();
await app.register(proxy, { upstream: `http://${process.env.BACKEND}` });
await app.ready();
listen(app.server);
