// The interim responses of an HTTP server, which CGI does not have: nginx and Apache take a 1xx for the response.
// Ours check their arguments as Node's do, send nothing and call back. Own properties: Express replaces the prototype.

import { ServerResponse } from 'node:http';
import { callSwallowed } from './internals/response.js';

type Writer = (this: ServerResponse, ...args: readonly unknown[]) => unknown;

function silenced(name: string): Writer {
  return function (...args) {
    return callSwallowed(this, name, args);
  };
}

const writeContinue = silenced('writeContinue');
const writeProcessing = silenced('writeProcessing');
const writeEarlyHints = silenced('writeEarlyHints');
/** Node 24 and later. */
const writeInformation = 'writeInformation' in ServerResponse.prototype ? silenced('writeInformation') : undefined;

/** Keeps interim responses off the wire. */
export function silenceInterimResponses(response: ServerResponse): void {
  response.writeContinue = writeContinue;
  response.writeProcessing = writeProcessing;
  response.writeEarlyHints = writeEarlyHints;
  if (writeInformation !== undefined) Object.assign(response, { writeInformation });
}
