// What runs before and after an application is served: found on whatever handler has it. Knows no application.

import type { GeminiHandler } from './handler.js';

/** Start and end of what serves a handler. */
export interface Lifespan {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The hooks of an application; of any other handler, none. */
export function lifespanOf(handler: GeminiHandler): Lifespan {
  return isLifespan(handler) ? handler : { start: async () => {}, stop: async () => {} };
}

function isLifespan(handler: object): handler is Lifespan {
  return (
    'start' in handler && typeof handler.start === 'function' && 'stop' in handler && typeof handler.stop === 'function'
  );
}
