import { createServer } from 'node:http';
import { FastResponse } from 'srvx';
import { toNodeHandler } from 'srvx/node';
import { hello } from './fetch-hello.js';
import { listen } from './listen.js';

// As srvx's documentation advises for speed.
globalThis.Response = FastResponse;
listen(createServer(toNodeHandler(hello)));
