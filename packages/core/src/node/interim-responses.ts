// The interim responses of an HTTP server, which CGI does not have: nginx and Apache take a 1xx for the response.
// Ours check their arguments as Node's do, send nothing and call back. Own properties: Express replaces the prototype.

import type { ServerResponse } from 'node:http';
import { http } from './http.js';
import type { ResponseMethod, ResponseOverrides } from './internals/response.js';
import { callSwallowed } from './internals/response.js';

function silenced(name: string): ResponseMethod {
  return function (...args) {
    return callSwallowed(this, name, args);
  };
}

/** Keep interim responses off the wire. */
export const interimWriters: ResponseOverrides['interim'] = {
  writeContinue: silenced('writeContinue'),
  writeProcessing: silenced('writeProcessing'),
  writeEarlyHints: silenced('writeEarlyHints'),
};

/** Node 24 and later. */
const writeInformation = 'writeInformation' in http.ServerResponse.prototype ? silenced('writeInformation') : undefined;

/** Does the same where there is one writer more. */
export function silenceInformation(response: ServerResponse): void {
  if (writeInformation !== undefined) Object.assign(response, { writeInformation });
}
