import { createServer } from 'node:http';
import { app } from './fastify-hello.js';
import { listen } from './listen.js';

await app.ready();
listen(createServer((req, res) => app.routing(req, res)));
