// All ways of calling a backend.

import { clients } from './clients.js';
import type { Face } from './face.js';
import { gateways } from './gateways.js';

export const faces: readonly Face[] = [...clients, ...gateways];
