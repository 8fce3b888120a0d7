import { serveCgi } from '@scgi/adapter-fastify';
import { app } from './fastify-hello.js';

await serveCgi(app);
