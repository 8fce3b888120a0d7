import { createScgiServer } from '@scgi/core';
import { bodies } from './bodies.js';
import { listen } from './listen.js';

listen(createScgiServer(bodies));
