// The guide from CGI to SCGI, walked to its end and back with real web servers: its own blocks, commands and files.

import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Stage } from '../nginx/support/stage.js';
import { pageOf, tableOf } from '../package-check/markdown.js';
import { launchBrowser } from '../support/chromium.js';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { httpRequest, type HttpRequestOptions, type HttpResponse } from '../support/http-client.js';
import { exampleFolder, files, stepOf, steps } from './support/migration-guide.js';
import { Migration, type Site } from './support/migration.js';

const oldPath = '/cgi-bin/guestbook.pl';
const template = readFileSync(join(exampleFolder, 'page.html'), 'utf8');
const today = (): string => new Date().toISOString().slice(0, 10);

describe('the guide from CGI to SCGI', () => {
  test('has five steps, and one for hosts with nothing else', () => {
    expect(steps.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each(files.map((file) => [file.name, file] as const))('shows %s as it is', (_, { fence, content }) => {
    expect(fence.code).toBe(content);
  });
});

describeWith(['apache', 'nginx', 'perl'], 'the way from CGI to SCGI', () => {
  const stage = new Stage();
  let migration: Migration;
  beforeAll(() => {
    migration = new Migration(stage);
  });
  afterAll(() => stage.clear());

  /** The file of entries as it was left by whoever. */
  const leave = (text: string | undefined): void => {
    const file = migration.file('data/entries.txt');
    rmSync(file, { force: true });
    if (text === undefined) return;
    writeFileSync(file, text);
    chmodSync(file, 0o666); // The tests' user need not be Apache's.
  };
  const left = (): string => readFileSync(migration.file('data/entries.txt'), 'utf8');

  test('keeps all entries at each step, and at each step back', { timeout: 60_000 }, async () => {
    leave(undefined);
    const signed: string[] = [];
    for (const number of [1, 2, 3, 4, 5, 4, 3, 2, 1]) {
      await using site = await migration.open(number);
      const name = `Guest ${signed.length} of step ${number}`;
      const { status, headers } = await sign(site, pathOf(number), { name, message: 'was here' });
      expect([number, status, headers.location]).toEqual([number, 303, pathOf(number)]);
      signed.unshift(`<dt>${name}, ${today()}</dt><dd>was here</dd>`);
      const { text } = await ask(site, { path: pathOf(number) });
      expect(text.match(/<dt>.*<\/dd>/g)).toEqual(signed);
    }
  });

  describe.each([1, 2, 3, 4, 5])('step %i', (number) => {
    const path = pathOf(number);
    let site: Site;
    beforeAll(async () => {
      site = await migration.open(number);
    });
    afterAll(() => site?.[Symbol.asyncDispose]());

    test('shows the page, with the last hundred entries', async () => {
      const line = (index: number): string => `2001-02-03\tGuest ${index}\tü & <b>$&</b> "${index}"\n`;
      leave(Array.from({ length: 102 }, (_, index) => line(index)).join(''));
      const item = (index: number): string =>
        `<dt>Guest ${index}, 2001-02-03</dt><dd>ü &amp; &lt;b&gt;$&amp;&lt;/b&gt; "${index}"</dd>\n`;
      const items = Array.from({ length: 100 }, (_, index) => item(101 - index)).join('');
      const page = await ask(site, { path });
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.text).toBe(template.replace(/ *<!-- entries -->\n/, () => items));
      const head = await ask(site, { path, method: 'HEAD' });
      expect([head.status, head.headers['content-type'], head.text]).toEqual([200, 'text/html; charset=utf-8', '']);
    });

    test('shows a page without entries where there is no file yet', async () => {
      leave(undefined);
      expect((await ask(site, { path })).text).toBe(template.replace(/ *<!-- entries -->\n/, ''));
    });

    test('takes what is hostile for text, in one line', async () => {
      leave('');
      const hostile = [
        { name: '<script>alert(1)</script>', message: '</dd></dl><img src=x onerror=alert(1)> & "quotes"' },
        { name: 'Eve\r\nSet-Cookie: a=b\r\n\r\n<h1>', message: 'one\n2001-02-03\tAda\tforged\r\x00\u2028three' },
        { name: ' \t ünï 👩‍🚀 ', message: '👩'.repeat(1000) },
      ];
      for (const fields of hostile) {
        const { status, headers } = await sign(site, path, fields);
        expect([status, headers.location, headers['set-cookie']]).toEqual([303, path, undefined]);
      }
      expect(left()).toBe(
        [
          `${today()}\t<script>alert(1)</script>\t</dd></dl><img src=x onerror=alert(1)> & "quotes"\n`,
          `${today()}\tEve Set-Cookie: a=b <h1>\tone 2001-02-03 Ada forged three\n`,
          `${today()}\tünï 👩‍🚀\t${'👩'.repeat(1000)}\n`,
        ].join(''),
      );
      const { text } = await ask(site, { path });
      expect(text).toContain('<dt>&lt;script&gt;alert(1)&lt;/script&gt;, ');
      expect(text).toContain('<dd>&lt;/dd&gt;&lt;/dl&gt;&lt;img src=x onerror=alert(1)&gt; &amp; "quotes"</dd>');
      expect(text).not.toMatch(/<script|<img|<h1>E/);
    });

    test('refuses what is no entry, and writes nothing', async () => {
      leave('');
      const form = 'application/x-www-form-urlencoded';
      const post = async (body: string, type = form): Promise<number> =>
        (await ask(site, { path, body, headers: { 'Content-Type': type } })).status;
      expect({
        'no fields': await post(''),
        'no name': await post('message=x'),
        'no message': await post('name=x&message='),
        'nothing but white space': await post('name=x&message=+%09%C2%A0'),
        'a name that is too long': await post(`name=${'n'.repeat(51)}&message=x`),
        'a message that is too long': await post(`name=n&message=${'x'.repeat(1001)}`),
        'broken UTF-8': await post('name=n&message=%FFx'),
        'half a surrogate pair': await post('name=n&message=%ED%A0%80'),
        'another type': await post('name=n&message=x', 'text/plain'),
        '1 MiB': await post(`name=n&message=${'x'.repeat(1_048_576 - 15)}`),
        'another method': (await ask(site, { path, method: 'DELETE' })).status,
      }).toEqual({
        'no fields': 400,
        'no name': 400,
        'no message': 400,
        'nothing but white space': 400,
        'a name that is too long': 400,
        'a message that is too long': 400,
        // What cannot be decoded is text as it is to Express's parser: "%FFx".
        'broken UTF-8': number === 5 ? 303 : 400,
        'half a surrogate pair': number === 5 ? 303 : 400,
        'another type': 415,
        '1 MiB': 413,
        'another method': 405,
      });
      expect(left()).toBe(number === 5 ? `${today()}\tn\t%FFx\n${today()}\tn\t%ED%A0%80\n` : '');
    });

    test('is full at a megabyte', async () => {
      leave(`2001-02-03\tAda\t${'x'.repeat(1_000_000)}\n`);
      expect((await sign(site, path, { name: 'n', message: 'm' })).status).toBe(507);
      expect(left()).not.toContain('\tm\n');
    });

    if (number === 2) {
      test('answers with the same bytes from the same program as at step 1', async () => {
        await using before = await migration.open(1);
        const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
        const requests: readonly Partial<HttpRequestOptions>[] = [
          {},
          { method: 'HEAD' },
          { path: `${oldPath}/more/path?and=a+query` },
          { headers: form, body: 'name=n&message=m' },
          { headers: form, body: 'name=n' },
          { headers: form, body: 'x'.repeat(20_000) },
          { method: 'DELETE' },
        ];
        for (const request of requests) {
          const answers: unknown[] = [];
          for (const asked of [before, site]) {
            leave('2001-02-03\tAda\thello\n');
            const { status, reason, headers, body } = await ask(asked, { path: oldPath, ...request });
            // Apache counts what is there at once, and sends the rest in chunks.
            const { date: _, 'content-length': _length, 'transfer-encoding': _coding, ...others } = headers;
            answers.push({ status, reason, headers: others, body: body.toString('latin1'), file: left() });
          }
          expect(answers[1]).toEqual(answers[0]);
        }
      });

      test('sends the answer of a program that leaves its input unread, which mod_cgid breaks off', async () => {
        // Apache shows the answer to one client in ten if the program ends while it is still being written to, so this one waits
        // until all of a small input is there (FIONREAD), or for two seconds.
        const program = `#!/usr/bin/perl
my $there = pack 'i', 0;
for (1 .. $ENV{CONTENT_LENGTH} > 50_000 ? 0 : 200) {
  ioctl STDIN, 0x541b, $there;
  last if unpack('i', $there) == $ENV{CONTENT_LENGTH};
  select undef, undef, undef, 0.01;
}
print "Content-Type: text/plain\n\nNo\n";
`;
        migration.writeProgram('cgi-bin/rude.pl', program);
        await using before = await migration.open(1);
        const path = '/cgi-bin/rude.pl';
        for (const length of [50_000, 1_000_000]) {
          expect(await ask(site, { path, body: 'x'.repeat(length) })).toMatchObject({ status: 200, text: 'No\n' });
        }
        await expect(ask(before, { path, body: 'x'.repeat(50_000) })).rejects.toThrow(/aborted|socket hang up/);
      });

      test('changes of the environment what the table of the guide says', async () => {
        const print = 'print "Content-Type: text/plain\\n\\n", map { "$_=$ENV{$_}\\n" } keys %ENV;';
        migration.writeProgram('cgi-bin/environment.pl', `#!/usr/bin/perl\n${print}\n`);
        await using before = await migration.open(1);
        const environment = async (asked: Site): Promise<ReadonlyMap<string, string>> => {
          const headers = {
            Host: 'example.com',
            Cookie: 'a=b',
            Authorization: 'Basic eDp5',
            Proxy: 'http://evil.example',
          };
          const { text } = await ask(asked, { path: '/cgi-bin/environment.pl/a%20b?c+d', headers });
          const pairs = text
            .trimEnd()
            .split('\n')
            .map((line) => line.split(/=(.*)/));
          return new Map(pairs.map(([name = '', value = '']) => [name, value]));
        };
        const [old, now] = [await environment(before), await environment(site)];
        const names = new Set([...old.keys(), ...now.keys()]);
        // Two ports of the two Apaches, and of the connections to them.
        const changed = [...names].filter(
          (name) => old.get(name) !== now.get(name) && !/^(?:SERVER|REMOTE)_PORT$/.test(name),
        );
        const named = tableOf(pageOf('docs/migrating-from-cgi.md'), 'variable').flatMap(([cell = '']) =>
          [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
        );
        expect(changed.toSorted()).toEqual(named.toSorted());
      });
    }

    if (number === 5) {
      test('lets Perl and Node.js write at the same time', async () => {
        leave('');
        await using old = await migration.open(1);
        const names = Array.from({ length: 40 }, (_, index) => `Guest ${index}`);
        const long = 'x'.repeat(900);
        const answers = await Promise.all(
          names.map((name, index) =>
            index % 2 === 0 ? sign(old, oldPath, { name, message: long }) : sign(site, path, { name, message: long }),
          ),
        );
        expect(answers.map(({ status }) => status)).toEqual(names.map(() => 303));
        const lines = left().trimEnd().split('\n');
        expect(lines.toSorted()).toEqual(names.map((name) => `${today()}\t${name}\t${long}`).toSorted());
      });

      test('leads an old bookmark to the new address in a browser, where a guest signs', async (context) => {
        requireFrontEnd('chromium', context);
        leave('2001-02-03\tAda\thello from 2001\n');
        const browser = await launchBrowser();
        onTestFinished(() => browser.close());
        const page = await browser.newPage();
        page.setDefaultTimeout(10_000);
        await page.goto(`${site.origin}${oldPath}`);
        expect(page.url()).toBe(`${site.origin}/guestbook`);
        await page.getByText('hello from 2001').waitFor();
        await page.getByLabel('Name').fill('Grace <i>');
        await page.getByLabel('Message').fill('two\nlines');
        await page.getByRole('button', { name: 'Sign' }).click();
        await page.getByText('two lines').waitFor();
        expect(await page.locator('dt').allTextContents()).toEqual([`Grace <i>, ${today()}`, 'Ada, 2001-02-03']);
      });

      test('takes a form that was open since step 4 ', async () => {
        leave('');
        const { status, headers } = await sign(site, oldPath, { name: 'n', message: 'm' });
        // 308: the browser posts again there.
        expect([status, headers.location]).toEqual([308, '/guestbook']);
      });
    }
  });

  test('may lead programs away from Apache one by one', async () => {
    const block = stepOf(2).fences.findLast(({ language }) => language === 'apache');
    migration.writeProgram('cgi-bin/other.pl', '#!/usr/bin/perl\nprint "Content-Type: text/plain\n\nI am here\n";\n');
    const site = await migration.open(2, block);
    expect((await ask(site, { path: oldPath })).status).toBe(200);
    expect((await ask(site, { path: '/cgi-bin/other.pl' })).text).toBe('I am here\n');
    await site[Symbol.asyncDispose]();
    // Who runs which shows when one of them is gone.
    expect((await ask(site, { path: oldPath })).status).toBe(503);
    expect((await ask(site, { path: '/cgi-bin/other.pl' })).text).toBe('I am here\n');
  });

  describeWith('cc', 'step 6', () => {
    let site: Site;
    beforeAll(async () => {
      const { fences } = stepOf(6);
      migration.runShell(fences.find(({ flags }) => flags.includes('build'))?.code ?? '');
      migration.writeProgram('only-cgi/guestbook.cgi', fences.find(({ language }) => language === 'text')?.code ?? '');
      site = await migration.open(6);
    });
    afterAll(() => site?.[Symbol.asyncDispose]());

    test.each([
      ['the application', '/cgi-bin/application.js/guestbook'],
      ['the function', '/cgi-bin/function.js'],
      ['cgi2scgi, for the application as a server', '/cgi-bin/guestbook.cgi/guestbook'],
    ])('runs %s as a CGI program', async (_, path) => {
      leave('2001-02-03\tAda\thello from 2001\n');
      const { status, headers } = await sign(site, path, { name: '<Eve>\r\n', message: 'was\r\nhere' });
      expect([status, headers.location]).toEqual([303, path]);
      const items = `<dt>&lt;Eve&gt;, ${today()}</dt><dd>was here</dd>\n<dt>Ada, 2001-02-03</dt><dd>hello from 2001</dd>\n`;
      expect((await ask(site, { path })).text).toBe(template.replace(/ *<!-- entries -->\n/, () => items));
      const long = await sign(site, path, { name: 'n', message: 'x'.repeat(1_048_576) });
      expect(long.status).toBe(413);
    });
  });
});

function pathOf(number: number): string {
  return number < 5 ? oldPath : '/guestbook';
}

function ask({ origin }: Site, request: Partial<HttpRequestOptions>): Promise<HttpResponse> {
  return httpRequest({ origin, ...request });
}

function sign(site: Site, path: string, fields: Readonly<Record<string, string>>): Promise<HttpResponse> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return ask(site, { path, headers, body: String(new URLSearchParams(fields)) });
}
