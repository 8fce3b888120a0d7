// What becomes of the bytes of an answer: a CGI response, or the bytes themselves.

import { ResponseDecoder } from '@scgi/core/protocol';
import type { ResponseHead } from '@scgi/core/protocol';
import { RawDecoder, type BackendSettings } from './exchange/index.js';
import { ReceivedBytes, ReceivedResponse } from './received-response.js';
import { emptyBody } from './response-body.js';
import { TunnelSocket } from './response-streams.js';
import type { Receiver } from './transfer.js';

/** For answers of CGI. */
export function cgiReceiver(method: string, settings: BackendSettings): Receiver<ResponseHead, ReceivedResponse> {
  const { maxHeadBytes, maxLineBytes } = settings;
  return {
    decoder: () => new ResponseDecoder({ requestMethod: method, maxHeadBytes, maxLineBytes }),
    answer: (head, body, tunnel) => {
      if (head.kind !== 'upgrade') return new ReceivedResponse(head, body, undefined);
      const socket: TunnelSocket = new TunnelSocket(
        body,
        tunnel.open(() => socket.onDrain()),
      );
      return new ReceivedResponse(head, emptyBody(), socket);
    },
  };
}

/** For answers of another kind. */
export const rawReceiver: Receiver<null, ReceivedBytes> = {
  decoder: () => new RawDecoder(),
  answer: (_head, body) => new ReceivedBytes(body),
};
