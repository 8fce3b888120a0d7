// The CGI program in JavaScript as a handler: one process for all requests.

import { cgiHandler } from '@scgi/cgi';
import { createScgiServer } from '@scgi/core';
import { hello } from '../programs/hello.js';
import { listen } from './listen.js';

listen(createScgiServer(cgiHandler(hello)));
