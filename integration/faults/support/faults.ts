// Everything that a backend can do wrong, stage by stage, and what whoever called it must make of it.

import type { Fault } from './fault.js';
import { faultsBeforeTheHead } from './faults-before-the-head.js';
import { faultsInTheAnswer } from './faults-in-the-answer.js';

export const faults: readonly Fault[] = [...faultsBeforeTheHead, ...faultsInTheAnswer];
