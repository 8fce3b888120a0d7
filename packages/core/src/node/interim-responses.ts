// The interim responses of an HTTP server, which CGI does not have: nginx and Apache take a 1xx for the response.
// Ours check their arguments as Node's do, send nothing and call back. Own properties: Express replaces the prototype.

import { ServerResponse } from 'node:http';
import { callSwallowed } from './internals.js';

type Writer = (this: ServerResponse, ...args: readonly unknown[]) => unknown;

const writers: readonly (readonly [name: string, writer: Writer])[] = [
  'writeContinue',
  'writeProcessing',
  'writeEarlyHints',
  // Node 24 and later.
  'writeInformation',
]
  .filter((name) => name in ServerResponse.prototype)
  .map((name) => [
    name,
    function (...args) {
      return callSwallowed(this, name, args);
    },
  ]);

/** Keeps interim responses off the wire. */
export function silenceInterimResponses(response: ServerResponse): void {
  for (const [name, writer] of writers) Reflect.set(response, name, writer);
}
