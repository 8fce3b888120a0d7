import { createServer } from 'node:http';
import { toNodeHandler } from 'srvx/node';
import { hello } from './fetch-hello.js';
import { listen } from './listen.js';

listen(createServer(toNodeHandler(hello)));
