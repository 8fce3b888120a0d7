// Asks an HTTP server once, and says how far the answer came.

import type { IncomingMessage } from 'node:http';
import { request as openRequest } from 'node:http';
import type { Asked, Outcome } from './face.js';

/** The client's side of an outcome; which errors the gateway reported is for the caller to add. */
export async function askHttp(
  port: number,
  path: string,
  { method, body, signal, onFirstBytes }: Asked,
): Promise<Omit<Outcome, 'codes'>> {
  const headers = method === 'POST' ? { 'Content-Length': body.length } : {};
  const request = openRequest({ host: '127.0.0.1', port, path, method, headers, agent: false, signal });
  try {
    const response = await new Promise<IncomingMessage | undefined>((resolve) => {
      request.once('response', resolve);
      // Later ones show on the response.
      request.on('error', () => resolve(undefined));
      if (method === 'POST') request.end(body);
      else request.end();
    });
    if (response === undefined) return { status: undefined, body: '', broken: true };
    return await readAnswer(response, onFirstBytes);
  } finally {
    request.destroy();
  }
}

async function readAnswer(
  response: IncomingMessage,
  onFirstBytes: Asked['onFirstBytes'],
): Promise<Omit<Outcome, 'codes'>> {
  let body = '';
  let broken = false;
  try {
    for await (const chunk of response.setEncoding('latin1')) {
      if (body === '') onFirstBytes?.();
      body += chunk;
    }
  } catch {
    broken = true;
  }
  return { status: response.statusCode, body, broken: broken || !response.complete };
}
