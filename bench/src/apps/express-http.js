import { createServer } from 'node:http';
import { app } from './express-hello.js';
import { listen } from './listen.js';

listen(createServer(app));
