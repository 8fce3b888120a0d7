// What all requests of one server share: its options, and what is under way.

import { LocalProtocolError } from '@scgi/core';
import type { SsgiErrorHook, SsgiHttpHandler, SsgiServeOptions, SsgiWebSocketHandler } from './types.js';
import { logError, Work } from './work.js';
import { WebSocketFraming } from './websocket-framing.js';

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024;

export class SsgiHost {
  /** null: not served. */
  readonly http: SsgiHttpHandler | null;
  readonly websocket: SsgiWebSocketHandler | null;
  readonly onError: SsgiErrorHook;
  readonly maxDataBytes: number;
  readonly framing: WebSocketFraming;
  readonly work: Work = new Work();

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible limit */
  constructor(
    http: SsgiHttpHandler | null,
    websocket: SsgiWebSocketHandler | null,
    options: Pick<SsgiServeOptions, 'onError' | 'maxDataBytes' | 'maxPayload'>,
  ) {
    this.http = http;
    this.websocket = websocket;
    this.onError = options.onError ?? logError;
    this.maxDataBytes = checkLimit('maxDataBytes', options.maxDataBytes);
    this.framing = new WebSocketFraming(checkLimit('maxPayload', options.maxPayload));
  }
}

function checkLimit(name: string, value: number = DEFAULT_MAX_BYTES): number {
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new LocalProtocolError('ERR_SCGI_OPTION', { option: name, value });
}
