// AWStats as Debian packages it, 20,000 lines of Perl that once was everybody's CGI program, in a real browser.

import { cgiDirectory } from '@scgi/cgi';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeWith, requireFrontEnd } from '../../support/front-ends.js';
import { type BrowsedSite, countPictures, startBrowsedSite } from '../support/browsing.js';
import { frontEnds } from '../support/site.js';

// A browser takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

describe.each(frontEnds)('behind %s', (frontEnd) => {
  describeWith([frontEnd === 'nginx' ? 'nginx' : 'apache', 'chromium', 'awstats'], 'AWStats', () => {
    let site: BrowsedSite;
    beforeAll(async () => {
      const files = { '/awstats-icon/': '/usr/share/awstats/icon/' };
      site = await startBrowsedSite(frontEnd, files, (folder, options) => {
        const programs = join(folder, 'programs');
        mkdirSync(programs);
        // It looks for its configuration beside itself, where the link to it is.
        symlinkSync(requireFrontEnd('awstats'), join(programs, 'awstats.pl'));
        writeFileSync(join(programs, 'awstats.site.conf'), configuration(folder));
        writeFileSync(join(folder, 'access.log'), accessLog());
        return cgiDirectory(programs, { ...options, mount: '/awstats', links: 'anywhere', extensions: ['.pl'] });
      });
    });
    afterAll(() => site?.stop());

    test('reads the log when it is asked to, and shows what is in it', async () => {
      const { page, problems } = await site.open('/awstats/awstats.pl?config=site&framename=mainright');
      await page.getByRole('link', { name: 'Update now' }).click();
      await page.waitForURL(/update=1/);
      const march = `${site.origin}/awstats/awstats.pl?config=site&framename=mainright&year=2020&month=03`;
      await page.goto(march, { waitUntil: 'networkidle' });
      await page.getByText('/stormy.html').first().waitFor();
      const { all, missing } = await countPictures(page);
      expect(missing).toBe('');
      expect(all).toBeGreaterThan(10);
      // Its lists are for windows of their own.
      const hosts = await page.locator('a[href*="output=allhosts"]').first().getAttribute('href');
      await page.goto(new URL(hosts ?? '', page.url()).href, { waitUntil: 'networkidle' });
      await page.getByText('192.0.2.19').waitFor();
      expect(problems).toEqual([]);
      expect(site.complaints).toEqual([]);
    });
  });
});

function configuration(folder: string): string {
  return [
    `LogFile="${folder}/access.log"`,
    'LogFormat=1',
    'SiteDomain="example.test"',
    'HostAliases="localhost"',
    'DNSLookup=0',
    `DirData="${folder}"`,
    'DirIcons="/awstats-icon"',
    'AllowToUpdateStatsFromBrowser=1',
    'AllowFullYearView=3',
    '',
  ].join('\n');
}

/** Visits of one hour, as Apache logs them. */
function accessLog(): string {
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0';
  const lines = Array.from({ length: 60 }, (_, visit) => {
    const minute = `${visit}`.padStart(2, '0');
    const path = ['/', '/stormy.html', '/night.html', `/page-${visit}.html`][visit % 4];
    return `192.0.2.${visit % 20} - - [15/Mar/2020:10:${minute}:00 +0000] "GET ${path} HTTP/1.1" 200 1000 "-" "${agent}"\n`;
  });
  return lines.join('');
}
