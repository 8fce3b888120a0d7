// Everything in which a program under our runner may differ from the same program under Apache's mod_cgid. Each entry
// rewrites what Apache has shown into what we must show, so it allows one exact deviation and not its neighbours; one
// that no case needs fails the suite. The entries are in differences/, by subject.

import { answerDifferences } from './differences/answers.js';
import { environmentDifferences } from './differences/environment.js';
import { placeDifferences } from './differences/places.js';
import type { AllowedDifference } from './differences/rewrite.js';

export type { AllowedDifference } from './differences/rewrite.js';

const differences = [...placeDifferences, ...environmentDifferences, ...answerDifferences] as const;

export type AllowedDifferenceName = (typeof differences)[number]['name'];

/** The list, in the order in which it is applied. */
export const allowedDifferences: readonly (AllowedDifference & { readonly name: AllowedDifferenceName })[] =
  differences;
