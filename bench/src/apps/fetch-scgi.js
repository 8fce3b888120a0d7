import { installLightResponse, serveScgi } from '@scgi/adapter-fetch';
import { hello } from './fetch-hello.js';
import { serve } from './listen.js';

// As @hono/node-server, which replaces the global class by itself; srvx has one to import.
installLightResponse();
await serve((options) => serveScgi(hello, options));
