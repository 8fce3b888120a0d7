import { createScgiServer } from '@scgi/core';
import { acceptWebSockets, waiting } from './idle.js';
import { listen } from './listen.js';

listen(acceptWebSockets(createScgiServer(waiting)));
