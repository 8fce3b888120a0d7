import { createAdaptorServer } from '@hono/node-server';
import { hello } from './fetch-hello.js';
import { listen } from './listen.js';

listen(createAdaptorServer({ fetch: hello }));
