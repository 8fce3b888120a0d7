// Where cgi2scgi is told what to connect to, in the ways that a host with nothing but CGI has; and that a client is none
// of these.

import { answer, mockBackend, type MockBackend } from '@scgi/testing';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeWith, requireFrontEnd } from '../support/front-ends.js';
import { run } from './support/program.js';
import { compile, describeVariants, sources, type Variant } from './support/variants.js';

const whole = { code: 0, errors: '', output: 'Status: 200\r\nContent-Length: 2\r\n\r\nok' };

describeVariants('the address', (variant) => {
  test('is in the #! line of the program', async () => {
    const { target } = await healthy();
    const script = interpreted(variant, target);
    expect(await run({ ...variant, command: () => [script] }, '', { args: [] })).toMatchObject(whole);
  });

  test('is in the #! line together with options, which are one argument', async () => {
    const script = interpreted(variant, `unix:/nowhere/app.sock --retry-for=0 \t--connect-timeout=100`);
    const { code, errors } = await run({ ...variant, command: () => [script] }, '', { args: [] });
    expect(code).toBe(1);
    expect(errors).toContain('(backend "unix:/nowhere/app.sock", reason "ENOENT")');
  });

  test('is in SCGI_TO, whatever the arguments are', async () => {
    const { target } = await healthy();
    const args = ['unix:/nowhere/a.sock', '/srv/app.cgi'];
    expect(await run(variant, '', { args, env: { SCGI_TO: `${target} --retry-for=0` } })).toMatchObject(whole);
  });

  test('is a TCP address', async () => {
    const { target } = await healthy('tcp');
    expect(await run(variant, target)).toMatchObject(whole);
    const [, port = ''] = target.split(':');
    expect(await run(variant, port)).toMatchObject(whole);
    expect(await run(variant, `localhost:${port}`)).toMatchObject(whole);
  });

  test('is an IPv6 address in brackets', async () => {
    const { errors } = await run(variant, '[::1]:1 --retry-for=0');
    expect(errors).toMatch(/backend "\[::1\]:1", reason "(?:ECONNREFUSED|EADDRNOTAVAIL|ENETUNREACH)"/);
  });

  test('is not that of the words of a query, which some web servers pass as arguments', async () => {
    const backend = await healthy('tcp');
    for (const [query, args] of [
      [`${backend.target}+--retry-for%3D0`, [backend.target, '--retry-for=0']],
      [encodeURIComponent(backend.target), [backend.target]],
      [`${backend.target}%00x`, [backend.target]],
      [`${backend.target}%20--idle-timeout%3d1`, [`${backend.target} --idle-timeout=1`]],
      [`%31${backend.target.slice(1)}+x`, [backend.target, 'x']],
      // Apache's mod_cgi puts backslashes before what a shell would take for its own.
      [`${backend.target}%20--pass%3dA*`, [`${backend.target} --pass=A\\*`]],
      [`\\${backend.target}`, [`\\\\${backend.target}`]],
    ] as const) {
      const { code, output, errors } = await run(variant, '', { args, env: { QUERY_STRING: query } });
      expect({ query, code }).toEqual({ query, code: 1 });
      expect(output).toMatch(/^Status: 500 Internal Server Error\r\n/);
      expect(errors).toContain('nothing says where the SCGI server is');
    }
    expect(backend.connections).toHaveLength(0);
  });

  test('is that of the first argument, whatever words of a query stand behind it', async () => {
    const { target } = await healthy();
    for (const query of ['a+b', 'a', '%', '%zz', '', 'unix:/x=1', `x${target}`, `${target}x`]) {
      const args = [target, '/srv/app.cgi', ...query.split('+')];
      expect(await run(variant, '', { args, env: { QUERY_STRING: query } })).toMatchObject(whole);
    }
  });

  test.each([
    ['', 'nothing says where the SCGI server is'],
    ['--retry-for=0', 'nothing says where the SCGI server is'],
    ['/home/me/app.sock', 'a path needs unix: before it'],
    ['./app.sock', 'a path needs unix: before it'],
    ['unix:', 'the path is empty or holds a NUL'],
    ['unix:///run/app.sock', 'not a URL: write the path right after unix:'],
    [`unix:/${'x'.repeat(107)}`, 'the path is too long for a socket address'],
    ['scgi://localhost:4000', 'a target is not a URL'],
    ['localhost', 'the port is not a number from 1 to 65535'],
    ['localhost:0', 'the port is not a number from 1 to 65535'],
    ['localhost:65536', 'the port is not a number from 1 to 65535'],
    ['localhost:080', 'the port is not a number from 1 to 65535'],
    ['::1:4000', 'an IPv6 address needs brackets'],
    ['[localhost]:4000', 'the host is not a name or an address'],
    [':4000', 'the host is not a name or an address'],
    ['a/b:4000', 'the host is not a name or an address'],
    ['4000 4001', 'there is no such option'],
    ['4000 --retry=1', 'there is no such option'],
    ['4000 --retry-for', 'there is no such option'],
    ['4000 --retry-for=', 'not a number of milliseconds'],
    ['4000 --idle-timeout=-1', 'not a number of milliseconds'],
    ['4000 --idle-timeout=1.5', 'not a number of milliseconds'],
    ['4000 --idle-timeout=2147483648', 'not a number of milliseconds'],
    ['4000 --first-byte-timeout=1e3', 'not a number of milliseconds'],
    ['4000 --connect-timeout=0x1', 'not a number of milliseconds'],
    ['4000 --pass=', 'not a list of names'],
    ['4000 --pass=*', 'not a list of names'],
    ['4000 --pass=A,,B', 'not a list of names'],
    ['4000 --pass=A*B', 'not a list of names'],
    ['4000 --start=', 'not an absolute path'],
    ['4000 --start=start.sh', 'not an absolute path'],
    ['4000 --start=./start.sh', 'not an absolute path'],
  ])('%o is refused: %s', async (line, problem) => {
    const { code, output, errors } = await run(variant, line, { args: [line] });
    expect({ code, output }).toEqual({
      code: 1,
      output:
        'Status: 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\n500 Internal Server Error\n',
    });
    expect(errors).toMatch(/^cgi2scgi: ERR_SCGI_OPTION: an option has an impossible value \(.*\)\n$/);
    expect(errors).toContain(`problem "${problem}"`);
  });

  test('does not matter where no web server has started the program: it says how it is used', async () => {
    const { code, output, errors } = await run(variant, '', { env: { REQUEST_METHOD: undefined } });
    expect({ code, output }).toEqual({ code: 2, output: '' });
    expect(errors).toMatch(/^cgi2scgi: a CGI program, [^]*\nusage: #!\/path\/of\/cgi2scgi unix:\/path\/of\/app.sock /);
  });
});

describeWith('cc', 'the program in C', () => {
  test('has an address compiled in, which nothing overrides', async () => {
    const { target } = await healthy();
    const program = join(temporaryFolder(), 'app.cgi');
    compile(program, [`-DCGI2SCGI_TO="${target} --retry-for=0"`]);
    const variant: Variant = { name: 'C', command: () => [program], watchesOutput: true };
    const elsewhere = 'unix:/nowhere/app.sock';
    expect(await run(variant, elsewhere, { args: [elsewhere], env: { SCGI_TO: elsewhere } })).toMatchObject(whole);
  });

  test.each(['-std=c99', '-std=c11', '-D_FORTIFY_SOURCE=2'])('compiles without a warning with %s', (flag) => {
    compile(join(temporaryFolder(), 'cgi2scgi'), [flag, '-Wall', '-Wextra', '-Wpedantic', '-Werror']);
  });
});

describeWith('perl', 'the program in Perl', () => {
  test('keeps its times where Perl has no Time::HiRes, as in Debian’s perl-base', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'Time'));
    writeFileSync(join(folder, 'Time/HiRes.pm'), 'die;');
    const variant: Variant = {
      name: 'Perl',
      command: () => [requireFrontEnd('perl'), sources.perl],
      watchesOutput: false,
    };
    const before = performance.now();
    const { errors } = await run(variant, 'unix:/nowhere/app.sock --retry-for=300', { env: { PERL5LIB: folder } });
    expect(errors).toContain('reason "ENOENT"');
    expect(performance.now() - before).toBeGreaterThan(280);
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  test('compiles without a warning', () => {
    execFileSync(requireFrontEnd('perl'), ['-cwT', sources.perl], { stdio: 'pipe' });
  });
});

function healthy(transport: 'unix' | 'tcp' = 'unix'): Promise<MockBackend> {
  const backend = mockBackend(answer({ body: 'ok' }), { transport });
  onTestFinished(async () => (await backend).close());
  return backend;
}

/** A program that is nothing but a line with its interpreter, as Linux starts it. */
function interpreted(variant: Variant, line: string): string {
  const folder = temporaryFolder();
  const [program, ...first] = variant.command();
  const interpreter = join(folder, 'cgi2scgi');
  // Interpreters may be scripts themselves, but have one argument only.
  writeFileSync(interpreter, `#!/bin/sh\nexec ${[program, ...first].map((word) => `'${word}'`).join(' ')} "$@"\n`);
  chmodSync(interpreter, 0o755);
  const script = join(folder, 'app.cgi');
  writeFileSync(script, `#!${first.length === 0 ? program : interpreter} ${line}\n`);
  chmodSync(script, 0o755);
  return script;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
