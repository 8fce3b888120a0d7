import { serveScgi } from '@scgi/adapter-fetch';
import { hello } from './fetch-hello.js';
import { serve } from './listen.js';

await serve((options) => serveScgi(hello, options));
