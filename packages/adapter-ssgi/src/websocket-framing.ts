// The package ws, which frames WebSocket messages: an optional peer, loaded when the first WebSocket is accepted.
// Known by its shape: nothing here depends on its types.

import type { Duplex } from 'node:stream';
import { LocalProtocolError } from '@scgi/core';

/** A WebSocket of ws, as far as it matters here. */
export interface FramedSocket {
  readonly bufferedAmount: number;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  pause(): void;
  resume(): void;
}

/** What ws reads of a request. */
export interface HandshakeRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The subprotocol that the application chose. */
  readonly protocol: string | undefined;
}

interface FramingServer {
  handleUpgrade(request: HandshakeRequest, socket: Duplex, head: Buffer, onOpen: (socket: FramedSocket) => void): void;
}

interface FramingLibrary {
  readonly WebSocketServer: new (options: object) => FramingServer;
}

/** RFC 6455 §7.4.1: an endpoint is "going away". */
const GOING_AWAY = 1001;

export class WebSocketFraming {
  readonly #maxPayload: number;
  #server: Promise<FramingServer> | undefined = undefined;
  #closing: boolean = false;
  readonly #open: Set<FramedSocket> = new Set();

  constructor(maxPayload: number) {
    this.#maxPayload = maxPayload;
  }

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION if ws is not installed */
  load(): Promise<FramingServer> {
    return (this.#server ??= this.#create());
  }

  /** Has `socket` closed when the server closes. */
  track(socket: FramedSocket): void {
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    if (this.#closing) socket.close(GOING_AWAY);
  }

  /** The server closes: nobody would end the open WebSockets, and it waits for them. */
  closeAll(): void {
    this.#closing = true;
    for (const socket of this.#open) socket.close(GOING_AWAY);
  }

  async #create(): Promise<FramingServer> {
    const { WebSocketServer } = await loadLibrary();
    return new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // 0 is no limit to ws.
      maxPayload: this.#maxPayload === Infinity ? 0 : this.#maxPayload,
      handleProtocols: (offered: ReadonlySet<string>, { protocol }: HandshakeRequest) => {
        // RFC 6455 §4.2.2: only what the client offered.
        const [first = false] = offered;
        if (protocol === undefined) return first;
        return offered.has(protocol) ? protocol : false;
      },
    });
  }
}

async function loadLibrary(): Promise<FramingLibrary> {
  let library: unknown;
  try {
    library = await import('ws');
  } catch (cause) {
    const details = { fault: 'WebSockets need the package ws', remedy: 'npm install ws' };
    throw new LocalProtocolError('ERR_SCGI_OPTION', details, { cause });
  }
  if (isFramingLibrary(library)) return library;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { fault: 'the package ws has no WebSocketServer', remedy: 'ws 8' });
}

function isFramingLibrary(value: unknown): value is FramingLibrary {
  return (
    typeof value === 'object' &&
    value !== null &&
    'WebSocketServer' in value &&
    typeof value.WebSocketServer === 'function'
  );
}
