import { Agent, createServer } from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { listen } from './listen.js';

// Without an agent it passes `Connection: close` on to its own clients.
const agent = new Agent({ keepAlive: true });
listen(createServer(createProxyMiddleware({ target: `http://${process.env.BACKEND}`, agent })));
