// All behaviours, by subject and by name. Holds no logic.

import type { Behaviour, BehaviourTable } from './behaviour.js';
import { failures } from './failures.js';
import { leaving } from './leaving.js';
import { load } from './load.js';
import { methodsAndTargets } from './methods-and-targets.js';
import { requestBodies } from './request-bodies.js';
import { requestFields } from './request-fields.js';
import { responses } from './responses.js';
import { streams } from './streams.js';

export const subjects: Readonly<Record<string, BehaviourTable>> = {
  'Methods and targets': methodsAndTargets,
  'Fields of requests': requestFields,
  'Bodies of requests': requestBodies,
  Responses: responses,
  Streams: streams,
  Failures: failures,
  'Clients that leave': leaving,
  Load: load,
};

const all = {
  ...methodsAndTargets,
  ...requestFields,
  ...requestBodies,
  ...responses,
  ...streams,
  ...failures,
  ...leaving,
  ...load,
};

export type BehaviourName = keyof typeof all;

export const behaviours: Readonly<Record<BehaviourName, Behaviour>> = all;
