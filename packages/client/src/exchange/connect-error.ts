// Why no connection was made, and whose fault that is.

import { BackendError, type ScgiError } from '@scgi/core/protocol';
import type { BackendAddress } from './target.js';

/** This process has no descriptor, port or memory left: another address would fare no better. */
const ownLimits: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** The backlog of a Unix socket is full: the backend is well, but accepts too slowly. On TCP it is the connect time that tells. */
const backlogFull = 'EAGAIN';

/** ERR_SCGI_BACKEND_UNREACHABLE, ERR_SCGI_BACKEND_TIMEOUT or, where nothing is broken, ERR_SCGI_BACKEND_BUSY. */
export function connectError(address: BackendAddress, cause: NodeJS.ErrnoException): BackendError {
  const details = { backend: address.text, reason: cause.code };
  if (cause.code === 'ETIMEDOUT') {
    return new BackendError('ERR_SCGI_BACKEND_TIMEOUT', { backend: address.text, awaited: 'connect' }, { cause });
  }
  const busy = cause.code === backlogFull || ownLimits.has(cause.code ?? '');
  return new BackendError(busy ? 'ERR_SCGI_BACKEND_BUSY' : 'ERR_SCGI_BACKEND_UNREACHABLE', details, { cause });
}

/** Whether it makes sense to try another address, or the same one later. */
export function mayTryOn({ code, details }: ScgiError): boolean {
  return code !== 'ERR_SCGI_BACKEND_BUSY' || details['reason'] === backlogFull;
}
