// Every case under Apache's mod_cgid and under our runner, behind nginx and behind Apache: what a program is told and what
// a client gets must be the same. The cases are in cases/, what may differ is in allowed-differences.ts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeWith } from '../../support/front-ends.js';
import { type AllowedDifferenceName, allowedDifferences } from './allowed-differences.js';
import { allCases, subjects } from './cases/index.js';
import type { Answer } from './support/answer.js';
import { allowedBehind } from './support/case.js';
import { compare } from './support/compare.js';
import { ask, type Site } from './support/exchange.js';
import { targetOf } from './support/programs.js';
import { type Sites, startSites } from './support/sites.js';

describeWith(['nginx', 'apache', 'cc', 'openssl'], 'a CGI program under our runner and under mod_cgid', () => {
  let sites: Sites;
  beforeAll(async () => {
    sites = await startSites(allCases);
  });
  afterAll(() => sites?.stop());

  const compared = new Set<string>();
  const needed = new Set<AllowedDifferenceName>();

  describe.each(Object.entries(subjects))('%s', (_subject, cases) => {
    test.each(Object.entries(cases))('%s', async (name, request) => {
      const target = targetOf(name, request);
      const asked = (site: Site): Promise<Answer> => ask(site, request, target);
      const { ours } = sites;
      const [cgid, nginx, apache] = await Promise.all([asked(sites.cgid), asked(ours.nginx), asked(ours.apache)]);
      for (const [frontEnd, answer] of [
        ['nginx', nginx],
        ['apache', apache],
      ] as const) {
        const allowed = allowedBehind(request, frontEnd);
        const { expected, actual, used } = compare(cgid, answer, request, frontEnd, allowed);
        expect(actual, `behind ${frontEnd}`).toBe(expected);
        // One that is named and not needed would hide the next deviation.
        expect(used, `behind ${frontEnd}`).toEqual(expect.arrayContaining([...allowed]));
        for (const difference of used) needed.add(difference);
      }
      compared.add(name);
    });
  });

  test('at least 200 cases are compared, each under its own name', () => {
    const names = Object.values(subjects).flatMap((cases) => Object.keys(cases));
    expect(new Set(names).size).toBe(names.length);
    expect(compared.size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(200);
  });

  test('every allowed difference is needed', () => {
    expect([...needed].toSorted()).toEqual(allowedDifferences.map(({ name }) => name).toSorted());
  });
});
