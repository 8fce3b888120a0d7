// All kinds of application. Holds no logic.

import { bare } from './bare.js';
import { express4Kind, express5Kind } from './express.js';
import { fastifyKind } from './fastify.js';
import { fetchKind } from './fetch.js';
import type { Kind } from './kind.js';
import { koa2Kind, koa3Kind } from './koa.js';
import { ssgiKind } from './ssgi.js';

export const kinds = {
  'bare listener': bare,
  'Express 5': express5Kind,
  'Express 4': express4Kind,
  'Koa 3': koa3Kind,
  'Koa 2': koa2Kind,
  'Fastify 5': fastifyKind,
  Fetch: fetchKind,
  SSGI: ssgiKind,
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;
