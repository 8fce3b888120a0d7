// The client's side of a WebSocket as bytes: the handshake's variables and frames, RFC 6455 §5.2.

import { randomBytes } from 'node:crypto';
import type { RawConnection } from '@scgi/testing';
import { open } from './stage.js';

export const handshake: Readonly<Record<string, string>> = {
  HTTP_HOST: 'example.com',
  HTTP_CONNECTION: 'keep-alive, Upgrade',
  HTTP_UPGRADE: 'websocket',
  HTTP_SEC_WEBSOCKET_KEY: 'dGhlIHNhbXBsZSBub25jZQ==',
  HTTP_SEC_WEBSOCKET_VERSION: '13',
  SERVER_SOFTWARE: 'nginx/1.22.1',
};

export const opcode = { text: 1, binary: 2, close: 8, ping: 9 } as const;

/** A client's frame: final, masked, shorter than 126 bytes. */
export function frame(code: number, payload: string | Uint8Array): Buffer {
  const mask = randomBytes(4);
  const bytes = Buffer.from(payload).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | code, 0x80 | bytes.length]), mask, bytes]);
}

export function closeFrame(code: number, reason = ''): Buffer {
  return frame(opcode.close, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));
}

/** A server's close frame as latin1 text. */
export function closeBytes(code: number, reason = ''): string {
  return `\x88${String.fromCharCode(2 + reason.length, code >> 8, code & 0xff)}${reason}`;
}

/** A client that wants a WebSocket. */
export async function shakeHands(address: string, variables: Record<string, string> = {}): Promise<RawConnection> {
  return open(address, { target: '/chat?room=1', variables: { ...handshake, ...variables } });
}
