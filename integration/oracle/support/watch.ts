// What many behaviours do alike: note the events of request, response and server, and wait for the other side.
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Answer } from './answer.js';
import type { Stage } from './behaviour.js';
import type { Recorder } from './recorder.js';

/** Notes how the request and the response end. */
export function watchBoth(req: IncomingMessage, res: ServerResponse, log: Recorder): void {
  log.watch(req, 'req', 'end', 'close', 'aborted', 'error');
  log.watch(res, 'res', 'finish', 'close', 'error');
}

/** Notes the code of each client error, then `clientError`, and closes the connection as Node does by itself. */
export function watchClientErrors(server: Server, log: Recorder): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    log.value('error code', error.code);
    log.note('clientError');
    socket.destroy();
  });
}

/** Reads the request body and notes its length so far: `10 octets`. */
export function countBody(req: IncomingMessage, log: Recorder): void {
  let octets = 0;
  req.on('data', (chunk: Buffer) => {
    octets += chunk.byteLength;
    log.note(`${octets} octets`);
  });
}

/** What request and response say of themselves when a client has left. */
export function messageFlags(req: IncomingMessage, res: ServerResponse): unknown {
  return {
    req: [req.complete, req.aborted, req.destroyed, req.readableEnded],
    res: [res.destroyed, res.writableEnded, res.writableFinished, res.closed],
  };
}

/** Flushes the head and waits until the client has it, so that what follows really comes after. */
export async function sendHead(res: ServerResponse, log: Recorder, fields: OutgoingHttpHeaders = {}): Promise<void> {
  res.writeHead(200, fields).flushHeaders();
  await log.until('the client has the head');
}

/** The client's half of `sendHead`. */
export async function readHeadThenAnswer({ client, log }: Stage): Promise<Answer> {
  client.send();
  await client.headReceived();
  log.note('the client has the head');
  return client.answer();
}
