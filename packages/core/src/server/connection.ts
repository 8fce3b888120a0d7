// One connection: a socket, a request decoder, a handler. Owns the reading side of the socket and how it ends:
// back-pressure, aborts, early error answers, linger. Knows no HTTP classes and no environment variables.

import type { RequestDecoder, RequestEvent, RequestHead } from '../protocol/index.js';
import { LocalProtocolError, RemoteProtocolError, ScgiError } from '../protocol/index.js';
import type { ConnectionSocket } from './connection-socket.js';
import { formatErrorResponse } from './error-response.js';
import type { ConnectionHost, RequestHandler } from './handler.js';
import { Linger } from './linger.js';
import { isDue, Progress } from './progress.js';
import { RequestPhase } from './request-phase.js';
import { letGo, listenTo } from './socket-listeners.js';
import { currentTurn, eofIsAbort } from './turn-clock.js';

/** Drives one SCGI connection. Made when a socket is accepted; whoever makes it lets it read. */
export class ScgiConnection {
  readonly socket: ConnectionSocket;
  /** Monotonic milliseconds at accept. */
  readonly acceptedAt: number;
  /** Neighbours among the open connections of the server: see ConnectionSweep. */
  newer: ScgiConnection | null = null;
  older: ScgiConnection | null = null;
  readonly #host: ConnectionHost;
  readonly #decoder: RequestDecoder;
  #handler: RequestHandler | null = null;
  #phase: RequestPhase = RequestPhase.Head;
  #responseDone: boolean = false;
  /** A listener of the host's has taken an error, and the socket with it: nothing is reported twice. */
  #errorTaken: boolean = false;
  #bytesReceived: number = 0;
  /** Turn of the event loop in which the request became complete; -1 if nobody needs to know. */
  #completedInTurn: number = -1;
  /** The peer has half-closed and waits for the response. */
  #halfClosed: boolean = false;
  /** Set once the response is sent and half-closed, while the request is not read to its end. */
  #linger: Linger | null = null;
  /** Made when somebody asks: most connections are gone by then. */
  #progress: Progress | null = null;

  constructor(socket: ConnectionSocket, decoder: RequestDecoder, host: ConnectionHost) {
    this.socket = socket;
    this.acceptedAt = performance.now();
    this.#host = host;
    this.#decoder = decoder;
    listenTo(socket, this);
  }

  /** True until the first byte has arrived: closing now loses nothing. */
  get isIdle(): boolean {
    return this.#bytesReceived === 0;
  }

  /** Nothing more is owed to the peer: the response was given whole, or an error was answered in its place. */
  get isAnswered(): boolean {
    return this.#responseDone;
  }

  /**
   * The response is whole and the socket has taken it. Closes at once if the request was read to its end. Otherwise
   * half-closes and reads on, because closing with unread input resets the connection, which Apache turns into a 500
   * or a hang. With `discard` all of it is read and forgotten, within `lingerBytes`; without, the handler goes on taking
   * the body at its own pace. Either way `lingerTimeout` ends it.
   * Not to be called inside a write's callback: Node then makes an error, with a stack trace, of the destroyed stream.
   */
  finish(discard: boolean): void {
    if (this.#responseDone) return;
    this.#responseDone = true;
    if (this.socket.destroyed) return;
    if (this.#requestIsRead()) {
      this.#closeWhenSent();
    } else {
      this.socket.end();
      this.#startLinger(discard);
    }
  }

  /** Answers `error` in place of a response, then closes so that the peer can read the answer. */
  answer(error: ScgiError): void {
    if (this.#responseDone) return;
    this.#responseDone = true;
    if (this.socket.destroyed) return;
    this.socket.write(this.#host.formatError?.(error) ?? formatErrorResponse(error));
    if (this.#phase === RequestPhase.Head) {
      this.socket.end();
      this.#startLinger(true);
    } else {
      // The application has the request: it should learn now that there is no point in going on.
      this.#closeWhenSent();
    }
  }

  /**
   * Gives the socket away after a complete request, paused, for another protocol. The server can still close it.
   * @returns what came behind the request; null for nothing
   * @throws {LocalProtocolError} ERR_SCGI_STATE before the request is complete, or after a response
   */
  handOver(): Uint8Array | null {
    if (this.#phase !== RequestPhase.Complete || this.#responseDone) {
      throw new LocalProtocolError('ERR_SCGI_STATE', { fault: 'nothing to hand over' });
    }
    this.#phase = RequestPhase.HandedOver;
    // What lives on for hours should keep neither this nor the request that it came from.
    letGo(this.socket);
    this.#host.onHandOver(this);
    return this.#decoder.takeTrailing();
  }

  /** The socket belongs to somebody else. */
  get isHandedOver(): boolean {
    return this.#phase === RequestPhase.HandedOver;
  }

  /** Ends the connection so that a response on its way cannot pass for whole: with a reset, where there is one. */
  breakOff(error?: Error): void {
    // Unix sockets have none: a Content-Length is all that tells.
    if (!this.socket.destroyed) this.#host.reset(this.socket, error);
  }

  /** Applies the deadlines that are due at `now` (monotonic milliseconds). Called by the server's sweep. */
  checkDeadlines(now: number): void {
    const host = this.#host;
    if (this.#linger !== null) {
      if (this.#linger.isOver(this.acceptedAt, this.#progressSince(now), now)) this.socket.destroy();
    } else if (this.#phase === RequestPhase.Head) {
      if (isDue(host.headersTimeout, this.acceptedAt, now))
        this.#failPeer(new RemoteProtocolError('ERR_SCGI_HEAD_TIMEOUT'));
    } else if (this.#phase === RequestPhase.Body && isDue(host.requestTimeout, this.acceptedAt, now)) {
      this.#failPeer(new RemoteProtocolError('ERR_SCGI_REQUEST_TIMEOUT'));
    } else {
      this.#relieveDeadlock();
      const since = this.#progressSince(now);
      if (!this.#waitsForPeer()) this.#progress?.restart(now);
      else if (isDue(host.idleTimeout, since, now)) this.#failPeer(new RemoteProtocolError('ERR_SCGI_IDLE_TIMEOUT'));
    }
  }

  #waitsForPeer(): boolean {
    // A half-close that was an abort after all would never show otherwise, if the application writes nothing.
    if (this.socket.writableNeedDrain || this.#halfClosed) return true;
    return this.#phase === RequestPhase.Body && !this.socket.isPaused();
  }

  /** When the peer last sent or took a byte, to the precision of the sweep. */
  #progressSince(now: number): number {
    this.#progress ??= new Progress(this.acceptedAt);
    return this.#progress.since(this.#bytesReceived + this.#host.takenBytes(this.socket), now);
  }

  /** Bytes of the body that have not come yet; 0 before the head is read. */
  get bodyBytesLeft(): number {
    return this.#decoder.bodyBytesLeft;
  }

  /** Called by the socket: bytes of the request; `borrowed` if their memory is written again on return. */
  receive(chunk: Uint8Array, borrowed: boolean = false): void {
    if (!this.#mayReceive(chunk.length)) return;
    if (borrowed) this.#decoder.receiveBorrowed(chunk);
    else this.#decoder.receiveData(chunk);
    this.#dispatchEvents();
  }

  #mayReceive(length: number): boolean {
    this.#bytesReceived += length;
    // The rest of a declined body, or garbage behind a complete request: nobody asked for it.
    const inBounds = this.#linger?.takes(length) ?? this.#decoder.trailingBytes <= this.#host.lingerBytes;
    if (!inBounds) this.socket.destroy();
    return inBounds && (this.#phase !== RequestPhase.Head || !this.#responseDone);
  }

  /** Called by the socket: the peer has sent its last byte. */
  receiveEof(): void {
    if (this.#responseDone || (this.#phase === RequestPhase.Head && this.isIdle)) {
      // A health probe connects and closes; after an answer the peer's FIN is the end we wait for.
      this.#closeWhenSent();
    } else if (this.#phase === RequestPhase.Complete) {
      this.#halfClosed = !eofIsAbort(this.#host.halfOpen, this.#completedInTurn);
      if (!this.#halfClosed) this.socket.destroy();
    } else {
      this.#decoder.receiveEof();
      this.#dispatchEvents();
    }
  }

  #dispatchEvents(): void {
    for (;;) {
      let event: RequestEvent | null;
      try {
        event = this.#decoder.nextEvent();
      } catch (error) {
        if (!(error instanceof ScgiError)) throw error;
        this.#failPeer(error);
        return;
      }
      if (event === null) return;
      if (event.type === 'body') this.#deliver(event.data);
      else if (event.type === 'end') this.#complete();
      else if (!this.#start(event.head)) return;
    }
  }

  #start(head: RequestHead): boolean {
    let handler: RequestHandler;
    try {
      handler = this.#host.createHandler(this, head);
    } catch (error) {
      if (!(error instanceof ScgiError)) throw error;
      this.#failPeer(error);
      return false;
    }
    this.#phase = RequestPhase.Body;
    this.#handler = handler;
    handler.start();
    return true;
  }

  #deliver(data: Uint8Array): void {
    const handler = this.#handler;
    if (handler === null || handler.onBody(data) || this.#linger?.discards) return;
    if (!this.#mayTakeMore(handler)) this.socket.pause();
  }

  /**
   * Apache writes its whole body before it reads a byte of the response: while the response is blocked, waiting for
   * the application to read would wait for ever, so body bytes are taken in up to a bound. Beyond it an application
   * that has given its whole response and reads nothing has declined the body.
   */
  #mayTakeMore(handler: RequestHandler): boolean {
    if (!this.socket.writableNeedDrain) return false;
    if (handler.bufferedBytes < this.#host.maxBufferedBody) return true;
    return handler.responseEnded && handler.discardBody();
  }

  /** The response may block after the body was paused; nothing tells us but the sweep. */
  #relieveDeadlock(): void {
    const handler = this.#handler;
    if (handler !== null && this.socket.isPaused() && this.#mayTakeMore(handler)) this.socket.resume();
  }

  #complete(): void {
    const handler = this.#handler;
    if (handler === null) return;
    this.#phase = RequestPhase.Complete;
    handler.onEnd();
    if (this.isHandedOver) return;
    if (this.#responseDone) return this.#closeWhenSent();
    // An EOF that matters only to an unfinished response; the usual small one is in the kernel by now.
    if (!handler.responseEnded || this.socket.writableLength > 0) this.#completedInTurn = currentTurn();
    // From here on reading only watches for the EOF.
    if (this.socket.isPaused()) this.socket.resume();
  }

  /** The peer is at fault, or silent: tell the host, answer if that is still possible, close. */
  #failPeer(error: ScgiError): void {
    if (this.#errorTaken) return;
    this.#errorTaken = this.#host.onPeerError(this, error);
    if (this.#errorTaken) return;
    if (this.#responseDone || this.#handler?.responseStarted) this.socket.destroy();
    else this.answer(error);
  }

  /** Nothing is left to read: closing cannot reset the connection under the response. */
  #requestIsRead(): boolean {
    return this.#phase !== RequestPhase.Head && this.bodyBytesLeft === 0 && this.#decoder.trailingBytes === 0;
  }

  #closeWhenSent(): void {
    const { socket } = this;
    // No shutdown round trip in the common case: close() sends the FIN.
    if (socket.writableLength === 0) socket.destroy();
    else socket.end(() => socket.destroy());
  }

  #startLinger(discard: boolean): void {
    const now = performance.now();
    this.#linger = new Linger(this.#host, discard, now);
    (this.#progress ??= new Progress(now)).restart(now);
    if (discard) this.socket.resume();
  }

  drained(): void {
    this.#handler?.onDrain();
  }

  /** Called by the socket: reset, broken pipe and the like. */
  socketFailed(error: Error): void {
    if (!this.#errorTaken && !this.#host.onPeerError(this, error)) this.socket.destroy(error);
  }

  closed(): void {
    if (this.#phase === RequestPhase.Closed) return;
    this.#phase = RequestPhase.Closed;
    this.#host.onConnectionClose(this);
    this.#handler?.onClose();
  }
}
