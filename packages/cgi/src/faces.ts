// What stands between programs and whatever asks for them: a listener, and the faces of other frameworks beside it.

import { Mount } from '@scgi/core/relay';
import type { CgiFetchHandler } from './fetch.js';
import { createFetchHandler } from './fetch.js';
import type { CgiListener } from './node/middleware.js';
import { createListener } from './node/middleware.js';
import type { CgiSettings } from './options.js';

/** CGI programs, for whatever asks for them: a listener, with the faces of other frameworks beside. */
export interface CgiPrograms extends CgiListener {
  /** A handler of the Fetch standard, for `@scgi/adapter-fetch`, Hono and their kin: needs no `this`. */
  readonly fetch: CgiFetchHandler;
  /** Starts no more programs: 503. Those that run go on. */
  readonly close: () => void;
}

export function createFaces(settings: CgiSettings<unknown>): CgiPrograms {
  const mount = new Mount(settings.mount);
  const close = (): void => settings.runner.close();
  return Object.assign(createListener(settings, mount), { fetch: createFetchHandler(settings, mount), close });
}
