import { createScgiServer } from '@scgi/core';
import { app } from './express-hello.js';
import { listen } from './listen.js';

listen(createScgiServer(app));
