// The two worlds a behaviour runs in: Node's own HTTP server, and ours.
import { createScgiServer, type ScgiServerOptions } from '@scgi/core';
import { createServer, type RequestListener, type Server } from 'node:http';
import { httpWire, scgiWire, type Wire } from './wires.js';

export interface World {
  readonly name: 'http' | 'scgi';
  readonly wire: Wire;
  createServer(options: ScgiServerOptions, listener: RequestListener | undefined): Server;
}

/** The oracle. */
export const httpWorld: World = {
  name: 'http',
  wire: httpWire,
  createServer: (options, listener) => createServer(options, listener),
};

/** What is judged by it. */
export const scgiWorld: World = {
  name: 'scgi',
  wire: scgiWire,
  createServer: (options, listener) => createScgiServer(options, listener),
};
