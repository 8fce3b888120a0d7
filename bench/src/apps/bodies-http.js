import { createServer } from 'node:http';
import { bodies } from './bodies.js';
import { listen } from './listen.js';

listen(createServer(bodies));
