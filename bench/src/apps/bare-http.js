import { createServer } from 'node:http';
import { hello } from './hello.js';
import { listen } from './listen.js';

listen(createServer(hello));
