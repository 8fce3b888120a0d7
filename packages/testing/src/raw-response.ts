// What an SCGI server sent, decoded as far as it can be, beside the bytes themselves. Knows no sockets.

import { ResponseDecoder, ScgiError } from '@scgi/core/protocol';

/** What came back on one connection. */
export interface RawResponse {
  /** Everything that was received. */
  readonly bytes: Buffer;
  /** Undefined if no valid head came. */
  readonly status: number | undefined;
  readonly reason: string | undefined;
  /** Flat: name, value, name, value … as sent, without Status. */
  readonly fields: readonly string[];
  readonly body: Buffer;
  /** What is wrong with the response: empty, malformed, truncated. */
  readonly fault: ScgiError | undefined;
  /** How the server ended the connection. A Unix socket resets only if it is closed with unread input. */
  readonly ended: 'fin' | 'reset';
}

/** Decodes the answer to a request with this method. */
export function readRawResponse(bytes: Buffer, ended: 'fin' | 'reset', method: string): RawResponse {
  const decoder = new ResponseDecoder({ requestMethod: method });
  let status: number | undefined;
  let reason: string | undefined;
  let fields: readonly string[] = [];
  let fault: ScgiError | undefined;
  const body: Uint8Array[] = [];
  decoder.receiveData(bytes);
  decoder.receiveEof();
  try {
    for (let event = decoder.nextEvent(); event !== null; event = decoder.nextEvent()) {
      if (event.type === 'head') ({ status, reason, fields } = event.head);
      else if (event.type === 'body') body.push(event.data);
    }
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
    fault = error;
  }
  return { bytes, status, reason, fields, body: Buffer.concat(body), fault, ended };
}
