import { createServer } from 'node:http';
import { acceptWebSockets, waiting } from './idle.js';
import { listen } from './listen.js';

listen(acceptWebSockets(createServer(waiting)));
