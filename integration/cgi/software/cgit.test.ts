// cgit as Debian packages it, a CGI program in C, in a real browser.

import { cgiProgram } from '@scgi/cgi';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeWith, requireFrontEnd } from '../../support/front-ends.js';
import { httpRequest } from '../../support/http-client.js';
import { type BrowsedSite, countStyleRules, makeRepository, startBrowsedSite } from '../support/browsing.js';
import { frontEnds } from '../support/site.js';

// A browser takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

describe.each(frontEnds)('behind %s', (frontEnd) => {
  describeWith([frontEnd === 'nginx' ? 'nginx' : 'apache', 'chromium', 'git', 'cgit'], 'cgit', () => {
    let site: BrowsedSite;
    beforeAll(async () => {
      site = await startBrowsedSite(frontEnd, { '/cgit-css/': '/usr/share/cgit/' }, (folder, options) => {
        makeRepository(join(folder, 'repositories'));
        const config = join(folder, 'cgitrc');
        const lines = [
          'css=/cgit-css/cgit.css',
          'logo=/cgit-css/cgit.png',
          'favicon=/cgit-css/favicon.ico',
          'virtual-root=/cgit',
          'snapshots=tar.gz',
          `scan-path=${folder}/repositories`,
        ];
        writeFileSync(config, `${lines.join('\n')}\n`);
        return cgiProgram(requireFrontEnd('cgit'), { ...options, mount: '/cgit', env: { CGIT_CONFIG: config } });
      });
    });
    afterAll(() => site?.stop());

    test('shows repositories, commits and files, as it is meant to look', async () => {
      const { page, problems } = await site.open('/cgit/');
      expect(await countStyleRules(page)).toBeGreaterThan(50);
      await page.getByRole('link', { name: 'book.git', exact: true }).click();
      await page.getByRole('link', { name: 'log', exact: true }).click();
      await page.getByText('Write the first chapter, with an ä').waitFor();
      await page.getByRole('link', { name: 'tree', exact: true }).click();
      await page.getByRole('link', { name: 'chapter one.txt' }).click();
      await page.getByText('It was a dark and stormy night.').waitFor();
      expect(page.url()).toBe(`${site.origin}/cgit/book.git/tree/chapter%20one.txt`);
      await page.getByRole('link', { name: 'commit', exact: true }).click();
      await page.getByText('+Suddenly a shot rang out.').waitFor();
      expect(problems).toEqual([]);
      expect(site.complaints).toEqual([]);
    });

    test('answers a search', async () => {
      const { page, problems } = await site.open('/cgit/book.git/log/');
      await page.locator('input[name=q]').fill('with an ä');
      await page.locator('input[name=q]').press('Enter');
      await page.getByText('Go on').waitFor({ state: 'detached' });
      expect(await page.getByText('Write the first chapter, with an ä').count()).toBe(1);
      expect(new URL(page.url()).searchParams.get('q')).toBe('with an ä');
      expect(problems).toEqual([]);
    });

    test('sends files and archives', async () => {
      const ask = (path: string) => httpRequest({ origin: site.origin, path: `/cgit/book.git/${path}` });
      const plain = await ask('plain/chapter%20one.txt');
      expect(plain.text).toBe('It was a dark and stormy night.\nSuddenly a shot rang out.\n');
      const archive = await ask('snapshot/book-main.tar.gz');
      expect(archive.headers['content-disposition']).toContain('book-main.tar.gz');
      expect(archive.body.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
      expect((await ask('plain/missing')).status).toBe(404);
    });
  });
});
