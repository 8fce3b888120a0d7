// Why no connection was made, and whose fault that is.

import { BackendError } from '@scgi/core/protocol';
import type { BackendAddress } from './target.js';

/** This process has no descriptor, port or memory left: the backend is as well as before. */
const ownLimits: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

/** ERR_SCGI_BACKEND_UNREACHABLE, ERR_SCGI_BACKEND_TIMEOUT or, for what this process lacks, ERR_SCGI_BACKEND_BUSY. */
export function connectError(address: BackendAddress, cause: NodeJS.ErrnoException): BackendError {
  const details = { backend: address.text, reason: cause.code };
  if (cause.code === 'ETIMEDOUT') {
    return new BackendError('ERR_SCGI_BACKEND_TIMEOUT', { backend: address.text, awaited: 'connect' }, { cause });
  }
  const busy = ownLimits.has(cause.code ?? '');
  return new BackendError(busy ? 'ERR_SCGI_BACKEND_BUSY' : 'ERR_SCGI_BACKEND_UNREACHABLE', details, { cause });
}
