import { createServer } from 'node:http';
import { app } from './koa-hello.js';
import { listen } from './listen.js';

listen(createServer(app.callback()));
