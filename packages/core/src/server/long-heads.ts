// Says once, where the operator sees it, that a response head is longer than the front end takes by default: the front end
// answers 502 or 500 in its place and names the cause in a log of its own, if at all.

import { createEnv, leastHeadLimit, longHeadAdvice } from '../env/index.js';
import type { RequestHead } from '../protocol/index.js';

/** The advice that was given, so that it is given once. A front end each: there are three. */
const warned = new Set<string>();

/** Looks at a response head on its way out. */
export function watchHeadLength(request: RequestHead, responseHead: string): void {
  if (responseHead.length <= leastHeadLimit) return;
  const advice = longHeadAdvice(createEnv(request.variables), responseHead);
  const frontEnd = advice?.split(' ', 1)[0];
  if (advice === undefined || frontEnd === undefined || warned.has(frontEnd)) return;
  warned.add(frontEnd);
  process.emitWarning(advice, { type: 'ScgiWarning', code: 'SCGI_LONG_RESPONSE_HEAD' });
}
