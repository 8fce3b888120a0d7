// The least that a front can do with a socket of Node's for each request: what is measured of ours beyond this is ours.

import { createServer } from 'node:http';
import { connect } from 'node:net';
import { encodeRequest } from '@scgi/core/protocol';
import { listen } from './listen.js';

const path = process.env.BACKEND.slice('unix:'.length);
const variables = { REQUEST_METHOD: 'GET', REQUEST_URI: '/hello', SERVER_PROTOCOL: 'HTTP/1.1', HTTP_HOST: 'bench' };
const head = encodeRequest(Object.entries(variables).flat(), 0);
const body = Buffer.from('Hello world\n');

listen(
  createServer((_req, res) => {
    const socket = connect({ path });
    socket.resume();
    socket.once('end', () => {
      res.writeHead(200, ['Content-Type', 'text/plain', 'Content-Length', String(body.length)]);
      res.end(body);
    });
    socket.write(head);
  }),
);
