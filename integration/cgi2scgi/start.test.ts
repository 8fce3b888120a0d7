// A server that is started by the first request: when it is, how often, and what of the request it gets.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { post, run, type ProgramResult } from './support/program.js';
import { describeVariants } from './support/variants.js';

const app = fileURLToPath(new URL('apps/started.js', import.meta.url));

describeVariants('a program that starts the server', (variant) => {
  test('is run when there is no socket, and the request is answered, whatever its method', async () => {
    const server = startable();
    const result = await run(variant, server.line, { env: post('abc'), body: 'abc' });
    expect(result).toMatchObject({ code: 0, errors: '' });
    expect(factsIn(result).pid).toBe(server.starts()[0]);
  });

  test('is run when nobody listens on the socket, as after a crash, and not while the server of an earlier request lives', async () => {
    const server = startable();
    const first = factsIn(await run(variant, server.line)).pid;
    expect(factsIn(await run(variant, server.line)).pid).toBe(first);
    expect(server.starts()).toEqual([first]);
    process.kill(first, 'SIGKILL');
    const second = factsIn(await run(variant, server.line)).pid;
    expect(second).not.toBe(first);
    expect(server.starts()).toContain(second);
  });

  test('is run again when it ends and nobody listens', async () => {
    const server = startable({ before: '[ $(wc -l <starts) -gt 3 ] || exit 1' });
    const { pid } = factsIn(await run(variant, server.line));
    expect(server.starts()).toHaveLength(4);
    expect(server.starts()[3]).toBe(pid);
  });

  test('is not run again while it runs', async () => {
    const server = startable({ before: 'sleep 0.5' });
    const { pid } = factsIn(await run(variant, server.line));
    expect(server.starts()).toEqual([pid]);
  });

  test('is run for the next request where this one does not wait', async () => {
    const server = startable();
    const { code, output } = await run(variant, `${server.line} --retry-for=0`);
    expect({ code, output: output.slice(0, 23) }).toEqual({ code: 1, output: 'Status: 502 Bad Gateway' });
    expect(factsIn(await run(variant, server.line.replace(/ .*/, ''))).pid).toBe(server.starts()[0]);
  });

  test('gets nothing of the request: not its variables, not its streams, not its process group', async () => {
    const server = startable();
    const env = {
      HTTP_PROXY: 'http://192.0.2.1',
      HTTP_COOKIE: 'secret',
      APP_PASSWORD: 'secret',
      PATH: '/usr/bin:/bin',
    };
    const { pid, session, folder, env: got, streams } = factsIn(await run(variant, server.line, { env }));
    expect(session).toBe(pid);
    expect(folder).toBe(server.folder);
    expect(streams).toEqual(['/dev/null', '/dev/null', '/dev/null']);
    // A shell adds some of its own.
    expect({ ...got, PWD: '', OLDPWD: '', SHLVL: '', _: '' }).toEqual({
      PATH: '/usr/bin:/bin',
      PWD: '',
      OLDPWD: '',
      SHLVL: '',
      _: '',
    });
  });

  test('has a PATH where the request has none', async () => {
    const { env } = factsIn(await run(variant, startable().line, { env: { PATH: undefined } }));
    expect(env['PATH']).toBe('/usr/local/bin:/usr/bin:/bin');
  });

  test('may be a text for the shell that does not say so', async () => {
    const server = startable();
    const start = join(server.folder, 'start');
    writeFileSync(start, readFileSync(start, 'latin1').replace('#!/bin/sh\n', ''));
    expect(factsIn(await run(variant, server.line)).pid).toBe(server.starts()[0]);
  });

  test.each([
    ['is not there', () => {}],
    ['is not executable', (path: string) => writeFileSync(path, '', { mode: 0o644 })],
    ['is a folder', (path: string) => mkdirSync(path)],
  ])('is said to be impossible at once when it %s', async (_, put) => {
    const server = startable();
    const start = join(server.folder, 'start');
    rmSync(start);
    put(start);
    const { code, output, errors } = await run(variant, server.line);
    expect({ code, output: output.slice(0, 33) }).toEqual({ code: 1, output: 'Status: 500 Internal Server Error' });
    expect(errors).toBe(
      `cgi2scgi: ERR_SCGI_OPTION: an option has an impossible value (option "--start=${start}", problem "not an executable file")\n`,
    );
  });
});

interface Startable {
  readonly folder: string;
  /** The settings for it. */
  readonly line: string;
  /** The processes that were started, the first one first. */
  starts(): readonly number[];
}

/** A server that is not there yet. @param before what the shell does first */
function startable({ before = '' } = {}): Startable {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-start-'));
  const bind = `unix:${folder}/app.sock`;
  const script = `#!/bin/sh\necho $$ >>starts\n${before}\nexec '${process.execPath}' '${app}' ${bind}\n`;
  writeFileSync(join(folder, 'start'), script, { mode: 0o755 });
  writeFileSync(join(folder, 'starts'), '');
  const starts = (): number[] => readFileSync(join(folder, 'starts'), 'latin1').split('\n').filter(Boolean).map(Number);
  onTestFinished(() => {
    for (const pid of starts()) killIfThere(pid);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, line: `${bind} --start=${folder}/start`, starts };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

interface Facts {
  readonly pid: number;
  readonly session: number;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly streams: readonly string[];
}

function factsIn({ output }: ProgramResult): Facts {
  return JSON.parse(output.slice(output.indexOf('\r\n\r\n') + 4));
}
