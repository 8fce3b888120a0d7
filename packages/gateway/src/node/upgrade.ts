// A request to upgrade: to the backend like any other, but with Upgrade; a 101 opens a tunnel, every other answer goes to
// the client as an ordinary one, on a connection that closes behind it.
// Owns the client's socket from Node's `upgrade` event on.

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Backend, Call, ExchangeHandler } from '@scgi/client/exchange';
import {
  BackendError,
  parseContentLength,
  RemoteProtocolError,
  type ResponseHead,
  ScgiError,
} from '@scgi/core/protocol';
import {
  Answer,
  endToEndFields,
  findField,
  type MountedTarget,
  requestVariables,
  type VariableSettings,
  writeStatus,
} from '@scgi/core/relay';
import { type BodyOwner, type BodySettings, RequestBody } from './request-body.js';
import { Tunnel } from './tunnel.js';

/** What applies to every upgrade of a gateway. Times in milliseconds, 0 for none. */
export interface UpgradeSettings extends VariableSettings, BodySettings {
  readonly backend: Backend;
  readonly tunnelTimeout: number;
  readonly lingerTimeout: number;
  readonly onError: (error: ScgiError, request: IncomingMessage) => void;
}

/** Passes one such request on. */
export class UpgradePassage implements ExchangeHandler<ResponseHead>, BodyOwner {
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #settings: UpgradeSettings;
  /** From Node.js 26 on the request has its body, as any other. Before, it lies unread on the socket: undefined. */
  readonly #body: RequestBody | undefined;
  #variables: readonly string[];
  readonly #tunnel: Tunnel;
  #call: Call<ResponseHead> | undefined;
  /** Undefined until there is an answer that is none of a tunnel. */
  #answer: Answer | undefined;
  #response: ServerResponse | undefined;
  #owesContinue: boolean;
  #listensForDrain: boolean;

  constructor(request: IncomingMessage, socket: Duplex, head: Uint8Array, settings: UpgradeSettings) {
    this.#request = request;
    this.#socket = socket;
    this.#settings = settings;
    this.#body = request.complete && request.readableLength === 0 ? undefined : new RequestBody(request, this);
    this.#variables = [];
    const unread = this.#body === undefined ? (bodyLengthOf(request) ?? 0) : 0;
    this.#tunnel = new Tunnel(socket, request.socket, head, unread, settings.lingerTimeout);
    this.#call = undefined;
    this.#answer = undefined;
    this.#response = undefined;
    this.#owesContinue = request.headers.expect !== undefined && bodyLengthOf(request) !== 0;
    this.#listensForDrain = false;
  }

  /** @param mounted undefined for a request that nobody takes: 404 */
  start(mounted: MountedTarget | undefined): void {
    const request = this.#request;
    this.#socket.on('error', ignore);
    this.#socket.on('close', () => this.#leave());
    if (mounted === undefined) {
      this.#answerStatus(404);
      return;
    }
    try {
      this.#variables = requestVariables(request, mounted, this.#settings, wantsTunnel(request));
    } catch (error) {
      this.#failWith(error);
      return;
    }
    const bodyLength = bodyLengthOf(request);
    if (this.#body !== undefined) this.#body.measure(this.#settings);
    else if (bodyLength !== undefined) this.onLength(bodyLength);
    // Chunks and all. Without Upgrade Node takes them apart.
    else this.onError(new BackendError('ERR_SCGI_LENGTH_REQUIRED', { upgrade: request.headers.upgrade }));
  }

  #leave(): void {
    this.#body?.stop();
    this.#call?.destroy();
  }

  onLength(bodyLength: number): void {
    try {
      const request = { method: this.#request.method ?? '', variables: this.#variables, bodyLength };
      this.#call = this.#settings.backend.open(request, this);
      this.#tunnel.watch(this.#call);
      // Reading what comes behind a body makes Node drop what is left of the body.
      if (this.#body === undefined || this.#request.readableEnded) this.#tunnel.read();
      else this.#request.once('end', () => this.#tunnel.read());
    } catch (error) {
      this.#failWith(error);
    }
  }

  onBodyWanted(): void {
    this.#sendContinue();
  }

  onBodyError(error: ScgiError): void {
    this.#call?.destroy();
    this.onError(error);
  }

  #failWith(error: unknown): void {
    if (!(error instanceof ScgiError)) throw error;
    this.onError(error);
  }

  /** Node sends no 100 Continue of its own before an `upgrade`. */
  #sendContinue(): void {
    if (this.#owesContinue) this.#socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    this.#owesContinue = false;
  }

  #answerStatus(status: number): void {
    this.#respond();
    if (this.#response === undefined) return;
    writeStatus(this.#response, status);
    this.#answer?.end();
  }

  onConnect(): void {
    this.#sendContinue();
    if (this.#call !== undefined) this.#body?.sendTo(this.#call);
    this.#tunnel.connect();
  }

  onDrain(): void {
    this.#body?.resume();
    this.#tunnel.resumeClient();
  }

  onHead(head: ResponseHead): void {
    if (head.kind !== 'upgrade') {
      this.#respond();
      this.#answer?.begin(head);
    } else if (wantsTunnel(this.#request)) {
      this.#call?.openTunnel(this.#settings.tunnelTimeout);
      this.#tunnel.open(formatUpgrade(head, this.#request));
    } else {
      this.#call?.destroy();
      this.onError(new RemoteProtocolError('ERR_SCGI_RESPONSE_STATUS', { status: 101, fault: 'no upgrade was asked' }));
    }
  }

  onBody(data: Uint8Array): boolean {
    if (this.#answer === undefined) return this.#tunnel.write(data);
    if (this.#answer.write(data)) return true;
    if (!this.#listensForDrain) this.#response?.on('drain', () => this.#call?.resume());
    this.#listensForDrain = true;
    return false;
  }

  onEnd(): void {
    if (this.#answer === undefined) this.#tunnel.backendEnd();
    else this.#answer.end();
  }

  onError(error: ScgiError): void {
    if (this.#tunnel.opened) {
      this.#tunnel.breakOff();
    } else {
      this.#respond();
      this.#answer?.fail(error);
    }
    this.#settings.onError(error, this.#request);
  }

  /** From here on it is an ordinary answer, and the last one on its connection. */
  #respond(): void {
    if (this.#answer !== undefined) return;
    this.#tunnel.abandon();
    const response = new ServerResponse(this.#request);
    response.shouldKeepAlive = false;
    response.on('error', ignore);
    // With a body, what Node hands over is a stream before the socket; its writing side is the socket's.
    response.assignSocket(this.#request.socket);
    const { idleTimeout } = this.#settings.backend.settings;
    this.#response = response;
    this.#answer = new Answer(this.#request, response, idleTimeout, this.#settings.lingerTimeout);
    response.on('finish', () => this.#tunnel.close());
  }
}

/** h2c is for servers that speak HTTP/2: curl and Java ask for it with every first request (RFC 9113 has dropped it). */
function wantsTunnel({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && !/\bh2c\b/i.test(headers.upgrade);
}

function bodyLengthOf({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return parseContentLength(headers['content-length'] ?? '0') ?? 0;
}

/** RFC 9110 §15.2.2: a 101 has Upgrade, and Connection that names it. */
function formatUpgrade(head: ResponseHead, request: IncomingMessage): string {
  const protocol = findField(head.fields, 'upgrade') ?? request.headers.upgrade ?? '';
  const fields = ['Upgrade', protocol, 'Connection', 'Upgrade', ...endToEndFields(head)];
  let text = `HTTP/1.1 101 ${head.reason}\r\n`;
  for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}: ${fields[index + 1]}\r\n`;
  return `${text}\r\n`;
}

function ignore(): void {}
