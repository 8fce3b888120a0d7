import { createServer } from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { listen } from './listen.js';

listen(createServer(createProxyMiddleware({ target: `http://${process.env.BACKEND}` })));
