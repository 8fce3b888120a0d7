// The documentation is true: links lead somewhere, the table of options is the code's, generated pages are in step,
// examples run, and every nginx block and log line is what a real nginx says.

import { serveScgi, createScgiServer } from '@scgi/core';
import { spawn } from 'node:child_process';
import { existsSync, linkSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { describe, expect, test as plainTest } from 'vitest';
import { startFence } from '../nginx/support/documented-block.js';
import { Stage, test } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import type { NginxOptions } from '../support/nginx.js';
import { anchorsOf, fencesOf, linksOf, pageOf, pages, tableOf, type Fence, type Page } from './markdown.js';
import { root } from './workspace.js';

const deployment = pageOf('docs/deployment-nginx.md');
const title = ({ file, line }: Fence): string => `${file}:${line}`;

plainTest('the generated pages are in step with the code', async () => {
  expect(await runNode([join(root, 'scripts/generate-docs.js'), '--check'])).toMatchObject({ code: 0, errors: '' });
});

describe('the links', () => {
  plainTest.each(pages.map((page) => [page.file, page] as const))('of %s lead somewhere', (_, page) => {
    expect(linksOf(page).filter((target) => !leadsSomewhere(page, target))).toEqual([]);
  });

  plainTest('of a page are all seen', () => {
    const page = {
      file: 'x.md',
      folder: root,
      text: '# A & `b` c\n[a](#a--b-c) `[b](no)` [c](https://c.test) [d](no.md)',
    };
    expect(linksOf(page)).toEqual(['#a--b-c', 'no.md']);
    expect(anchorsOf(page)).toEqual(['a--b-c']);
    expect(leadsSomewhere(page, 'no.md')).toBe(false);
    expect(leadsSomewhere(pageOf('README.md'), 'docs/errors.md#no-such-heading')).toBe(false);
  });
});

describe('the table of options', () => {
  const rows = tableOf(pageOf('packages/core/README.md'), 'option');
  const documented = rows.map(([option = '']) => option.replaceAll('`', ''));
  const declared = [
    ...optionsIn('serve.ts', 'ServeOptions'),
    ...optionsIn('scgi-server.ts', 'ScgiServerOptions'),
    ...optionsIn('node/http-server.ts', 'ScgiHttpServerOptions'),
  ];

  plainTest('has every option, and no other', () => {
    expect(documented.toSorted()).toEqual(declared.toSorted());
  });

  plainTest('has the defaults that a server has', () => {
    const server: object = createScgiServer();
    const shown = rows
      .map(([option = '', value = '']) => [option.replaceAll('`', ''), value.replaceAll(/[`,']/g, '')] as const)
      .filter(([option]) => Reflect.has(server, option));
    expect(shown.length).toBeGreaterThanOrEqual(8);
    for (const [option, value] of shown) expect(`${option} ${Reflect.get(server, option)}`).toBe(`${option} ${value}`);
  });
});

describe('the examples', () => {
  const fences = fencesOf('js');

  plainTest('parse', async () => {
    // In one process: a hundred of them take ten seconds.
    const parse = `import { SourceTextModule } from 'node:vm';
import { text } from 'node:stream/consumers';
for (const [identifier, code] of JSON.parse(await text(process.stdin))) new SourceTextModule(code, { identifier });`;
    const parseAll = (sources: readonly (readonly [string, string])[]) =>
      runNode(
        ['--experimental-vm-modules', '--no-warnings', '--input-type=module', '-e', parse],
        JSON.stringify(sources),
      );
    const sources = fences.map((fence) => [title(fence), fence.code] as const);
    expect(sources.length).toBeGreaterThan(50);
    expect(await parseAll(sources)).toEqual({ code: 0, errors: '' });
    const { code, errors } = await parseAll([...sources, ['wrong.md:1', 'await const;']]);
    expect([code, errors]).toEqual([1, expect.stringContaining('wrong.md:1')]);
  });

  const whole = fences.filter(({ flags }) => flags.includes('run'));
  plainTest.each(whole.map((fence) => [title(fence), fence] as const))('run to their end: %s', async (_, { code }) => {
    expect(await runNode(['--input-type=module', '-'], code)).toMatchObject({ code: 0 });
  });
});

describeWith(['nginx', 'openssl'], 'the nginx blocks', () => {
  const fences = fencesOf('nginx');

  test.for(fences.map((fence) => [title(fence), fence] as const))('are accepted: %s', async ([, fence], { stage }) => {
    await expect(startFence(stage, fence.code)).resolves.toBeDefined();
  });

  test('are refused if they are wrong', async ({ stage }) => {
    await expect(startFence(stage, 'location / { scgi_passes unix:/run/app.sock; }')).rejects.toThrow('scgi_passes');
  });

  test('and the program of the README work together', async ({ stage }) => {
    const [program] = fencesOf('js', 'README.md');
    const [block] = fencesOf('nginx', 'README.md');
    const { origin, folder } = await startFence(stage, block?.code ?? '');
    const code = (program?.code ?? '').replace('/run/', `${folder}/run/`).replace('&group=www-data', '');
    const child = spawn(process.execPath, ['--input-type=module', '-'], { cwd: join(root, 'integration') });
    stage.add(() => child.kill('SIGKILL'));
    child.stdin.end(code);
    await until(() => existsSync(join(folder, 'run/app/app.sock')), 10_000, 'the socket');
    const { status, text } = await httpRequest({ origin, headers: { 'X-Forwarded-For': '198.51.100.66' } });
    expect({ status, text }).toEqual({ status: 200, text: 'Hello 127.0.0.1, you came over http\n' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await within(ended, 5_000, 'the graceful end')).toBe(0);
  });

  test('with several processes lose no request while one after the other restarts', async ({ stage }) => {
    const block = fencesOf('nginx', deployment.file).find(({ code }) => code.startsWith('upstream'));
    const { origin, folder } = await startFence(stage, block?.code ?? '');
    const start = (name: string) =>
      serveScgi((req, res) => req.resume().on('end', () => res.end(name)), {
        bind: `unix:${folder}/run/app/${name}.sock`,
      });
    const running = [await start('1'), await start('2')];
    const answers: Record<string, number> = {};
    let going = true;
    const client = async (): Promise<void> => {
      while (going) {
        const { status } = await httpRequest({ origin, body: 'x' });
        answers[status] = (answers[status] ?? 0) + 1;
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (const index of [0, 1, 0, 1, 0, 1]) {
      await running[index]?.close();
      running[index] = await start(`${index + 1}`);
    }
    going = false;
    await Promise.all(clients);
    for (const server of running) await server.close();
    expect(Object.keys(answers)).toEqual(['200']);
  });
});

describeWith('nginx', 'the log lines', () => {
  const backend = async (stage: Stage, ...args: Parameters<Stage['serve']>): Promise<string> =>
    (await stage.serve(...args)).address;

  /** What brings each line about: options for an nginx that is then asked once, or more often. */
  const causes: Record<string, (stage: Stage) => Promise<NginxOptions>> = {
    'connect() to unix:… failed (2: No such file or directory)': async (stage) => ({ to: stage.freeAddress('unix') }),
    'connect() to unix:… failed (111: Connection refused)': async (stage) => ({ to: await leaveSocketBehind(stage) }),
    'connect() failed (111: Connection refused)': async () => ({ to: await freePort() }),
    'recv() failed (104: Connection reset by peer) while reading response header': async (stage) => {
      const options = { bind: '0.0.0.0:0', allowFrom: ['192.0.2.1'] };
      return { to: (await backend(stage, () => {}, options)).replace('0.0.0.0', '127.0.0.1') };
    },
    'upstream prematurely closed connection while reading response header': async (stage) => ({
      to: await backend(stage, (_req, res) => res.destroy()),
    }),
    'upstream prematurely closed connection while reading upstream': async (stage) => ({
      to: await backend(stage, breakOff, { over: 'unix' }),
    }),
    'readv() failed (104: Connection reset by peer) while reading upstream': async (stage) => ({
      to: await backend(stage, breakOff, { over: 'tcp' }),
    }),
    'upstream sent too big header': async (stage) => ({
      to: await backend(stage, (_req, res) => res.setHeader('X-Big', 'x'.repeat(9000)).end()),
    }),
    'upstream timed out (110: Connection timed out) while reading response header': async (stage) => ({
      to: await backend(stage, () => {}),
      directives: ['scgi_read_timeout 100ms;'],
    }),
    'client intended to send too large body': async (stage) => ({
      to: await backend(stage, () => {}),
      directives: ['client_max_body_size 1;'],
    }),
    'no live upstreams': async (stage) => ({ to: [stage.freeAddress('unix'), stage.freeAddress('unix')] }),
    '"scgi_busy_buffers_size" must be less than': async () => ({
      to: '127.0.0.1:1',
      directives: ['scgi_buffer_size 32k;'],
    }),
  };
  // The tests' nginx opens any socket when it is root, and a full queue needs a process that does not accept.
  const unprovoked = [
    'connect() to unix:… failed (13: Permission denied)',
    'connect() to unix:… failed (11: Resource temporarily unavailable)',
  ];

  plainTest('are those of the page', () => {
    const lines = tableOf(deployment, 'line').map(([line = '']) => line.replaceAll('`', ''));
    expect(lines.toSorted()).toEqual([...Object.keys(causes), ...unprovoked].toSorted());
  });

  test.for(Object.entries(causes))('%s', async ([line, cause], { stage }) => {
    const options = await cause(stage);
    const pattern = new RegExp(line.split('…').map(escapeRegExp).join('.*'));
    const nginx = await stage.nginx(options).catch((error: Error) => error);
    if (nginx instanceof Error) return expect(nginx.message).toMatch(pattern);
    const ask = (): Promise<unknown> => httpRequest({ origin: nginx.origin, body: 'xx' }).catch(() => {});
    return until(
      async () => (await ask(), pattern.test(nginx.errorLog())),
      10_000,
      () => `${line} in ${nginx.errorLog()}`,
    );
  });

  test.for([
    ['ERR_SCGI_VERSION', 'scgi_pass '],
    ['ERR_SCGI_PLAIN_HTTP', 'proxy_pass http://'],
    ['ERR_SCGI_NETSTRING_LENGTH', 'uwsgi_pass '],
  ])('are none for %s, which the client sees', async ([code = '', directive = ''], { stage }) => {
    const to = await backend(stage, () => {});
    const nginx = await stage.nginx({ locations: [], serverDirectives: [`location / { ${directive}${to}; }`] });
    expect(await httpRequest({ origin: nginx.origin })).toMatchObject({
      status: 400,
      text: expect.stringContaining(code),
    });
    expect(tableOf(deployment, 'answer').map(([answer]) => answer)).toContain(`400 \`${code}\``);
  });
});

const breakOff: Parameters<Stage['serve']>[0] = (_req, res) => {
  res.writeHead(200, { 'Content-Length': 100 });
  res.write('half', () => setImmediate(() => res.destroy()));
};

function leadsSomewhere({ file, folder }: Page, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const linked = path === '' ? join(root, file) : join(folder, path);
  if (!existsSync(linked)) return false;
  return anchor === undefined || anchorsOf(pageOf(relative(root, linked))).includes(anchor);
}

/** The names of the optional properties that an interface of core's sources declares itself. */
function optionsIn(file: string, name: string): string[] {
  const source = readFileSync(join(root, 'packages/core/src', file), 'utf8');
  const body = source.split(`export interface ${name} `)[1]?.split('\n}')[0] ?? '';
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\?:/gm)].map(([, option = '']) => option);
}

/** A socket file on which nobody listens any more. */
async function leaveSocketBehind(stage: Stage): Promise<string> {
  const [path, stale] = ['a.sock', 'b.sock'].map((name) => join(stage.folder(), name));
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  linkSync(path ?? '', stale ?? '');
  await new Promise((resolve) => server.close(resolve));
  return `unix:${stale}`;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Runs Node.js where the packages of the workspace can be imported. */
function runNode(args: readonly string[], input = ''): Promise<{ code: number | null; errors: string }> {
  const child = spawn(process.execPath, args, { cwd: join(root, 'integration'), stdio: ['pipe', 'ignore', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  child.stdin.on('error', () => {}); // It ended before it had read all; its exit code counts.
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, errors });
    });
  });
}
