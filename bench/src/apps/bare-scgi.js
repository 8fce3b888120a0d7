import { createScgiServer } from '@scgi/core';
import { hello } from './hello.js';
import { listen } from './listen.js';

listen(createScgiServer(hello));
