// The interfaces that are offered to a framework, and what it picks. Who serves a pick is not known here.

import { LocalProtocolError } from '@scgi/core';
import type { SsgiFramework, SsgiHttpPick, SsgiSupported, SsgiWebSocketPick } from './types.js';

/** What a framework picks, a protocol each; null for one that is not served. */
export interface Picks {
  readonly http: SsgiHttpPick | null;
  readonly websocket: SsgiWebSocketPick | null;
}

/** Name and version of each interface. */
export const offered: Readonly<Record<string, string>> = Object.freeze({ ssgi: '1.0', node: '1', fetch: '1' });

export function isFramework(app: unknown): app is SsgiFramework {
  const mayBe = typeof app === 'function' || (typeof app === 'object' && app !== null);
  return mayBe && 'getSupported' in app && typeof app.getSupported === 'function';
}

/** Asks a framework. @throws {LocalProtocolError} ERR_SCGI_OPTION for an interface that is not offered, or no handler */
export function askFramework(framework: SsgiFramework): Picks {
  const supported: SsgiSupported | null | undefined = framework.getSupported({ ...offered });
  const http = supported?.http ?? null;
  // The specification writes one, its first implementation reads the other.
  const websocket = supported?.websocket ?? supported?.websockets ?? null;
  assertPick('http', http);
  assertPick('websocket', websocket);
  return { http, websocket };
}

function assertPick(protocol: string, pick: SsgiHttpPick | SsgiWebSocketPick | null): void {
  if (pick === null) return;
  const [name, handler]: readonly unknown[] = Array.isArray(pick) ? pick : [];
  if (typeof name !== 'string' || !Object.hasOwn(offered, name)) {
    const names = Object.keys(offered).join(', ');
    throw new LocalProtocolError('ERR_SCGI_OPTION', { protocol, interface: String(name), offered: names });
  }
  const isHandler = typeof handler === 'function' || (name === 'fetch' && typeof handler === 'object');
  if (!isHandler) throw new LocalProtocolError('ERR_SCGI_OPTION', { protocol, interface: name, fault: 'no handler' });
}
