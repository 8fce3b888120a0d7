// One request to one SCGI backend: connects, sends head and body, decodes the answer, applies the deadlines.
// Owns the backend's socket. Knows no HTTP classes and no policy: what an answer or an error means is its handler's.

import { BackendError, LocalProtocolError, RemoteProtocolError, ScgiError } from '@scgi/core/protocol';
import type { AnswerDecoder, AnswerEvent } from './answer.js';
import { BackendSocket } from './backend-socket.js';
import { connectError } from './connect-error.js';
import type { ReadBlocks } from './read-blocks.js';
import type { BackendAddress } from './target.js';

/** What is sent to the backend. */
export interface ExchangeRequest {
  /** The netstring, and behind it perhaps a body that is small. */
  readonly head: Uint8Array;
  /** A body that is there already: it goes out with the head. */
  readonly body: Uint8Array | undefined;
  /** Bytes of body that `write` will be given. */
  readonly bodyLength: number;
}

/** Bounds of one exchange. Times in milliseconds, 0 for none. */
export interface ExchangeSettings {
  /** Until the backend has accepted the connection. */
  readonly connectTimeout: number;
  /** From the last byte of the request to the first one of the answer. */
  readonly firstByteTimeout: number;
  /** Without a byte moving, once the answer has begun or while the body is on its way. */
  readonly idleTimeout: number;
  /** End our side once the request is sent. */
  readonly halfClose: boolean;
}

/** Hears what happens. `onEnd` or `onError` is the last call but `onClose`, unless `destroy` came before it: then there is neither. */
export interface ExchangeHandler<Head> {
  /** The backend has accepted the connection: from now on `write` makes sense. */
  onConnect(): void;
  /** Takes body bytes again after a `write` that returned false. */
  onDrain(): void;
  onHead(head: Head): void;
  /** The next body bytes, never empty, the handler's to keep. Returns false to ask for a pause until `resume`. */
  onBody(data: Uint8Array): boolean;
  /** The answer is whole, though perhaps not all of the request body was sent: no more of it is wanted. */
  onEnd(): void;
  onError(error: ScgiError): void;
}

/** How long a backend may take to close after its last byte. Closing earlier would look to it like a client that left. */
const CLOSE_TIMEOUT_MS = 2000;

/** One request and its answer. */
export class Exchange<Head> {
  readonly #address: BackendAddress;
  readonly #settings: ExchangeSettings;
  readonly #handler: ExchangeHandler<Head>;
  readonly #decoder: AnswerDecoder<Head>;
  readonly #socket: BackendSocket;
  #bodyBytesLeft: number;
  #connected: boolean;
  #answered: boolean;
  #idleTimeout: number;
  #tunnel: boolean;
  /** A tunnel that the backend has ended on its side, and we not yet on ours. */
  #halfOpen: boolean;
  #over: boolean;

  /**
   * Connects at once and sends the head; no handler is called before this returns.
   * @param onClose called when the socket is closed, whatever has happened before
   */
  constructor(
    address: BackendAddress,
    request: ExchangeRequest,
    decoder: AnswerDecoder<Head>,
    settings: ExchangeSettings,
    handler: ExchangeHandler<Head>,
    blocks: ReadBlocks,
    onClose: () => void,
  ) {
    this.#address = address;
    this.#settings = settings;
    this.#handler = handler;
    this.#decoder = decoder;
    this.#socket = new BackendSocket((bytes) => this.#receive(bytes), blocks);
    this.#bodyBytesLeft = request.bodyLength;
    this.#connected = false;
    this.#answered = false;
    this.#idleTimeout = settings.idleTimeout;
    this.#tunnel = false;
    this.#halfOpen = false;
    this.#over = false;
    this.#listen(this.#socket);
    this.#socket.on('close', () => this.#closed(onClose));
    this.#socket.setTimeout(settings.connectTimeout);
    this.#socket.connect(address.connect);
    // Corked: the head leaves with the first piece of the body, as from nginx. Some backends read once.
    this.#socket.cork();
    this.#socket.write(request.head);
    if (request.body !== undefined) this.#socket.write(request.body);
    if (request.bodyLength === 0) this.#socket.uncork();
  }

  #listen(socket: BackendSocket): void {
    socket.on('connect', () => this.#connect());
    socket.on('end', () => this.#receiveEof());
    socket.on('drain', () => this.#drain());
    socket.on('timeout', () => this.#timeOut());
    socket.on('error', (error) => this.#socketFailed(error));
  }

  /** The backend has accepted the connection: the request may have been sent, at least in part. */
  get connected(): boolean {
    return this.#connected;
  }

  /** False once `write` drops what it is given: the backend has stopped reading, or the exchange is over. */
  get takesBody(): boolean {
    return (!this.#over || this.#halfOpen) && this.#socket.writeError === undefined;
  }

  /**
   * Sends a piece of the request body, or of what follows an upgrade. Returns false when the next piece should wait for
   * `onDrain`. Once the backend takes no more, or the exchange is over, pieces are dropped.
   * @throws {LocalProtocolError} ERR_SCGI_BODY_LENGTH_MISMATCH for more than `bodyLength`: rTorrent hangs on such bytes
   */
  write(chunk: Uint8Array): boolean {
    if (chunk.length > this.#bodyBytesLeft) throw new LocalProtocolError('ERR_SCGI_BODY_LENGTH_MISMATCH');
    this.#bodyBytesLeft -= chunk.length;
    // An empty piece behind the last one would be a write after our end of a connection that is half closed.
    if (chunk.length === 0 || !this.takesBody) return true;
    const more = this.#socket.write(chunk);
    this.#socket.uncork();
    // What waits in our own buffer is still on its way.
    if (this.#bodyBytesLeft === 0 && more) this.#requestSent();
    return more;
  }

  /** After an upgrade: no more will be written. */
  end(): void {
    if (!this.#tunnel) return;
    // Closed once all is written, whatever `destroy` says: the owner has nothing more to do with it.
    this.#halfOpen = false;
    this.#socket.end();
  }

  /**
   * From the head of an upgrade on: `write` takes any number of bytes, until `end` or `destroy`, and `onDrain` may come, even
   * when the backend has ended its side.
   * @param idleTimeout in place of that of the settings
   */
  openTunnel(idleTimeout: number = this.#idleTimeout): void {
    this.#tunnel = true;
    this.#bodyBytesLeft = Infinity;
    this.#idleTimeout = idleTimeout;
    this.#socket.setTimeout(idleTimeout);
  }

  /** Goes on reading after an `onBody` that returned false. */
  resume(): void {
    if (this.#over || !this.#socket.readingPaused) return;
    // The pause was not the backend's: it has its full time from here.
    this.#socket.setTimeout(this.#idleTimeout);
    this.#socket.resumeReading();
  }

  /** Closes the connection now; nothing more is reported. */
  destroy(): void {
    this.#over = true;
    this.#halfOpen = false;
    this.#socket.destroy();
  }

  /** Closes what is left of a tunnel whose backend has ended its side. */
  destroyHalfOpen(): void {
    if (this.#halfOpen) this.destroy();
  }

  #connect(): void {
    this.#connected = true;
    // A body that was given with the request may still wait in our own buffer.
    if (this.#bodyBytesLeft === 0 && !this.#socket.writableNeedDrain) this.#requestSent();
    else this.#socket.setTimeout(this.#idleTimeout);
    this.#handler.onConnect();
    // A body that is there already comes in this turn; a head waits for no other.
    if (this.#bodyBytesLeft > 0) setImmediate(() => this.#socket.uncork());
  }

  #requestSent(): void {
    if (!this.#answered) this.#socket.setTimeout(this.#settings.firstByteTimeout);
    if (this.#settings.halfClose) this.#socket.end();
  }

  #drain(): void {
    if (this.#over && !this.#halfOpen) return;
    if (this.#bodyBytesLeft === 0) this.#requestSent();
    this.#handler.onDrain();
  }

  /** Who still waits to write into a tunnel that is half open would wait for ever. */
  #closed(onClose: () => void): void {
    if (this.#halfOpen) {
      this.#halfOpen = false;
      this.#handler.onDrain();
    }
    onClose();
  }

  #receive(chunk: Uint8Array): void {
    if (this.#over) {
      // Bytes behind the answer, which nobody will read.
      this.#socket.destroy();
      return;
    }
    if (!this.#answered) {
      this.#answered = true;
      this.#socket.setTimeout(this.#idleTimeout);
    }
    this.#decoder.receiveData(chunk);
    this.#dispatchEvents();
  }

  #receiveEof(): void {
    if (this.#over) {
      this.#socket.destroy();
      return;
    }
    const { writeError } = this.#socket;
    // The failed write has taken the error of the reset with it, and what the reset cut off now seems to end here.
    if (writeError !== undefined && this.#decoder.bodyBytesLeft === undefined) {
      this.#fail(this.#reset(writeError));
      return;
    }
    this.#decoder.receiveEof();
    this.#dispatchEvents();
  }

  #dispatchEvents(): void {
    while (!this.#over) {
      let event: AnswerEvent<Head> | null;
      try {
        event = this.#decoder.nextEvent();
      } catch (error) {
        if (!(error instanceof ScgiError)) throw error;
        this.#fail(error);
        return;
      }
      if (event === null) return;
      if (event.type === 'head') this.#handler.onHead(event.head);
      else if (event.type === 'end') this.#finish();
      else if (!this.#handler.onBody(event.data)) this.#socket.pauseReading();
    }
  }

  #finish(): void {
    this.#over = true;
    const socket = this.#socket;
    if (this.#tunnel && !socket.writableEnded && socket.writeError === undefined) {
      this.#halfOpen = true;
    } else if (this.#bodyBytesLeft > 0 || socket.writableLength > 0 || socket.readableEnded) {
      // What is still to be written of a tunnel goes out first.
      if (this.#tunnel) socket.destroySoon();
      else socket.destroy();
    } else {
      socket.setTimeout(CLOSE_TIMEOUT_MS);
      socket.resumeReading();
    }
    this.#handler.onEnd();
  }

  #fail(error: ScgiError): void {
    this.destroy();
    this.#handler.onError(error);
  }

  #socketFailed(cause: NodeJS.ErrnoException): void {
    if (this.#over) return;
    if (this.#connected) this.#fail(this.#reset(cause));
    else this.#fail(connectError(this.#address, cause));
  }

  #reset(cause: NodeJS.ErrnoException): BackendError {
    return new BackendError('ERR_SCGI_BACKEND_RESET', { backend: this.#address.text, reason: cause.code }, { cause });
  }

  #timeOut(): void {
    if (this.#over) {
      this.#socket.destroy();
    } else if (this.#connected && this.#waitsForOwner()) {
      this.#fail(new RemoteProtocolError('ERR_SCGI_IDLE_TIMEOUT', { idleTimeout: this.#idleTimeout }));
    } else {
      const awaited = this.#connected ? (this.#answered ? 'response' : 'first byte') : 'connect';
      this.#fail(new BackendError('ERR_SCGI_BACKEND_TIMEOUT', { backend: this.#address.text, awaited }));
    }
  }

  /** The backend is not to blame for the silence: our side takes nothing, or owes it more of the body. */
  #waitsForOwner(): boolean {
    return this.#socket.readingPaused || (this.#bodyBytesLeft > 0 && this.#socket.writableLength === 0);
  }
}
