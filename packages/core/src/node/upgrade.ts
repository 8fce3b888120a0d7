// A request that the application's `upgrade` listener takes: the request object, then the bare socket.

import type { IncomingMessage } from 'node:http';
import type { ScgiRequest } from '../env/index.js';
import type { RequestHead } from '../protocol/index.js';
import type { RequestHandler, ScgiConnection } from '../server/index.js';
import type { ScgiHttpServer } from './http-server.js';
import { setUpgrade } from './internals/request.js';
import { socketOf } from './internals/socket.js';
import type { CarriedExchange, PeerFacts } from './peer-socket.js';
import { carryExchange } from './peer-socket.js';
import { createRequest } from './request.js';

const nothing = Buffer.alloc(0);

/** Bridges one connection to one `upgrade` event. There is no response object: the listener writes to the socket. */
export class NodeUpgrade implements RequestHandler {
  readonly facts: ScgiRequest;
  readonly responseStarted = false;
  readonly responseEnded = false;
  readonly responseIsPartial = false;
  readonly bufferedBytes = 0;
  readonly request: IncomingMessage;
  readonly #server: ScgiHttpServer;
  readonly #connection: ScgiConnection;

  constructor(server: ScgiHttpServer, connection: ScgiConnection, head: RequestHead, facts: ScgiRequest) {
    const socket = socketOf(connection.socket);
    this.facts = facts;
    this.#server = server;
    this.#connection = connection;
    carryExchange(socket, this);
    this.request = createRequest(server, socket, head, facts, server.mountOf(facts));
    setUpgrade(this.request, true);
  }

  // The listener gets the socket with what lies behind the request, so it must be read to its end first.
  start(): void {}

  onEnd(): void {
    const socket = socketOf(this.#connection.socket);
    this.request.complete = true;
    this.request.push(null);
    carryExchange(socket, new UpgradedPeer(this.facts));
    const trailing = this.#connection.handOver();
    const head = trailing === null ? nothing : Buffer.from(trailing.buffer, trailing.byteOffset, trailing.length);
    this.#server.emit('upgrade', this.request, socket, head);
  }

  /** Never called: only a request without a body is an upgrade. */
  onBody(): boolean {
    return true;
  }

  discardBody(): boolean {
    return true;
  }

  onDrain(): void {}

  onClose(): void {}

  emitTimeout(): boolean {
    return true;
  }
}

/** What the socket has to know of its client for as long as it lives, and no more: the request may be large. */
class UpgradedPeer implements CarriedExchange, PeerFacts {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  readonly encrypted: boolean;

  constructor(facts: PeerFacts) {
    this.remoteAddress = copy(facts.remoteAddress);
    this.remotePort = facts.remotePort;
    this.localAddress = copy(facts.localAddress);
    this.localPort = facts.localPort;
    this.encrypted = facts.encrypted;
  }

  get facts(): PeerFacts {
    return this;
  }

  get responseIsPartial(): boolean {
    return false;
  }

  /** The time-outs of the socket are its new owner's. */
  emitTimeout(): boolean {
    return true;
  }
}

/** V8 cuts strings without copying: an address would keep the whole head. */
function copy(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text, 'latin1').toString('latin1');
}
