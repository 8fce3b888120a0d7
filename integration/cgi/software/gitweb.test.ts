// gitweb as Debian packages it, a CGI program of 8,000 lines of Perl, in a real browser.

import { cgiProgram } from '@scgi/cgi';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeWith, requireFrontEnd } from '../../support/front-ends.js';
import {
  type BrowsedSite,
  countPictures,
  countStyleRules,
  makeRepository,
  startBrowsedSite,
} from '../support/browsing.js';
import { frontEnds } from '../support/site.js';

// A browser takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

describe.each(frontEnds)('behind %s', (frontEnd) => {
  describeWith([frontEnd === 'nginx' ? 'nginx' : 'apache', 'chromium', 'git', 'gitweb'], 'gitweb', () => {
    let site: BrowsedSite;
    beforeAll(async () => {
      const files = { '/gitweb-static/': '/usr/share/gitweb/static/' };
      site = await startBrowsedSite(frontEnd, files, (folder, options) => {
        makeRepository(join(folder, 'repositories'));
        const config = join(folder, 'gitweb.conf');
        writeFileSync(config, configuration(folder));
        const env = { GITWEB_CONFIG: config, HOME: folder };
        return cgiProgram(requireFrontEnd('gitweb'), { ...options, mount: '/gitweb', env });
      });
    });
    afterAll(() => site?.stop());

    test('shows projects, commits, differences and files, as it is meant to look', async () => {
      const { page, problems } = await site.open('/gitweb');
      expect(await countStyleRules(page)).toBeGreaterThan(50);
      await page.getByRole('link', { name: 'book.git', exact: true }).click();
      await page.getByRole('link', { name: 'Write the first chapter, with an ä' }).first().click();
      expect(await countPictures(page)).toEqual({ all: 1, missing: '' });
      await page.getByRole('link', { name: 'commitdiff', exact: true }).first().click();
      await page.getByText('+It was a dark and stormy night.').waitFor();
      await page.getByRole('link', { name: 'tree', exact: true }).first().click();
      await page.getByRole('link', { name: 'chapter one.txt' }).click();
      await page.getByText('It was a dark and stormy night.').waitFor();
      expect(new URL(page.url()).pathname).toMatch(/^\/gitweb\/book\.git\/blob\/[0-9a-f]+:\/chapter%20one\.txt$/);
      expect(problems).toEqual([]);
      expect(site.complaints).toEqual([]);
    });

    test('answers a search', async () => {
      const { page, problems } = await site.open('/gitweb?p=book.git;a=shortlog');
      await page.locator('input[name=s]').fill('first chapter');
      await page.locator('input[name=s]').press('Enter');
      await page.locator('.match').first().waitFor();
      expect(await page.locator('.match').allTextContents()).toContain('first chapter');
      expect(problems).toEqual([]);
    });
  });
});

function configuration(folder: string): string {
  return `
    our $projectroot = '${folder}/repositories';
    our @stylesheets = ('/gitweb-static/gitweb.css');
    our $logo = '/gitweb-static/git-logo.png';
    our $favicon = '/gitweb-static/git-favicon.png';
    our $javascript = '/gitweb-static/gitweb.js';
    $feature{'pathinfo'}{'default'} = [1];
    1;
  `;
}
