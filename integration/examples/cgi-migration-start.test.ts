// examples/cgi-migration by its commands, as the guide names them: each starts what its step needs, says where, and leaves
// nothing but the entries behind when Ctrl-C ends it.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '../nginx/support/stage.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { stepOf, steps } from './support/migration-guide.js';
import { runInTerminal } from './support/terminal-command.js';

const commands = steps.map(({ number, oneLiner = '' }) => [number, oneLiner] as const);

describeWith(['apache', 'nginx', 'perl'], 'the commands of the way from CGI to SCGI', () => {
  // Not one after the other: npm takes its time.
  const timeout = 120_000;
  const deadlineMs = 30_000;

  test.concurrent.for([
    ...commands.map((command) => [...command, '', /^(?:Apache|nginx) with \S+\.conf; its log is /m] as const),
    ...commands
      .filter(([number]) => number === 2 || number === 5)
      .map((command) => [...command, 'none', /the HTTP front of @scgi\/gateway stands in for it$/m] as const),
  ])('step %i: %s (WEB_SERVER=%s)', { timeout }, async ([, line, server, announcement], { stage, expect }) => {
    const command = runInTerminal(stage, line, (temporary) => ({
      GUESTBOOK_DATA: join(temporary, 'data'),
      WEB_SERVER: server,
    }));
    const [, origin = '', path = ''] = await command.says(/^Step \d: (http:\/\/127\.0\.0\.1:\d+)(\/\S+)\n.*Ctrl-C/m);
    expect(command.output()).toMatch(announcement);

    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const { status } = await httpRequest({ origin, path, headers, body: 'name=Ada&message=hello', deadlineMs });
    expect(status).toBe(303);
    expect((await httpRequest({ origin, path, deadlineMs })).text).toMatch(/<dt>Ada, [\d-]+<\/dt><dd>hello<\/dd>/);

    command.interrupt();
    await command.ended();
    expect(readdirSync(command.temporary)).toEqual(['data']);
    expect(readFileSync(join(command.temporary, 'data/entries.txt'), 'utf8')).toMatch(/^[\d-]+\tAda\thello\n$/);
  });

  test
    .skipIf(process.getuid?.() !== 0)
    .concurrent(
      'step 1 by root: names the folder that is closed to the user of Apache',
      { timeout },
      async ({ stage, expect }) => {
        const closed = stage.folder();
        const command = runInTerminal(stage, stepOf(1).oneLiner ?? '', () => ({ GUESTBOOK_DATA: closed }));
        expect(await command.ended()).toBe(1);
        expect(command.output()).toContain(`who may not enter ${closed}`);
        expect(readdirSync(command.temporary)).toEqual([]);
      },
    );

  test.concurrent('step 1 without Apache: says what to install', { timeout }, async ({ stage, expect }) => {
    const line = stepOf(1).oneLiner ?? '';
    const command = runInTerminal(stage, line, (temporary) => ({ GUESTBOOK_DATA: temporary, WEB_SERVER: 'none' }));
    expect(await command.ended()).toBe(1);
    expect(command.output()).toContain('Apache is not here (on Debian: apt-get install apache2)');
    expect(readdirSync(command.temporary)).toEqual(['entries.txt']);
  });
});
