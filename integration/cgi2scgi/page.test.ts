// The files of the page for hosts that offer nothing but CGI work as they are, behind an Apache that allows what they need.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fencesOf } from '../package-check/markdown.js';
import { root } from '../package-check/workspace.js';
import { test, type Stage } from '../nginx/support/stage.js';
import { startApacheWith, type Apache } from '../support/apache.js';
import { loadModules, userLines } from '../support/apache-config.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { compile } from './support/variants.js';

const page = 'docs/cgi2scgi.md';
const blockOf = (language: string): string => fencesOf(language, page)[0]?.code ?? '';
const [compileLine, startProgram] = fencesOf('sh', page).map(({ code }) => code);
const [, onDemand] = fencesOf('cgi', page).map(({ code }) => code);

describeWith(['apache', 'cc'], 'the page for hosts that offer nothing but CGI', () => {
  test('has an application that answers to the path that was asked for, and files beside it', async ({ stage }) => {
    const host = await startHost(stage);
    host.install('www/app.cgi', blockOf('cgi'));
    writeFileSync(host.path('www/style.css'), 'body {}');
    await host.serve();
    expect((await httpRequest({ origin: host.origin, path: '/?a=1' })).text).toBe(
      'Hello 127.0.0.1, you asked for /?a=1\n',
    );
    expect((await httpRequest({ origin: host.origin, path: '/style.css' })).text).toBe('body {}');
    expect((await httpRequest({ origin: host.origin, path: '/none' })).status).toBe(404);
  });

  test('has a line for cron that starts the server, and not twice', async ({ stage }) => {
    const host = await startHost(stage);
    host.install('www/app.cgi', blockOf('cgi'));
    const [, command = ''] = /^\* \* \* \* \* (.*)$/m.exec(host.moved(blockOf('crontab'))) ?? [];
    // As cron does.
    const cron = spawn('/bin/sh', ['-c', command], { cwd: host.folder, detached: true, stdio: 'ignore' });
    stage.add(() => process.kill(-(cron.pid ?? 0), 'SIGKILL'));
    expect((await httpRequest({ origin: host.origin, path: '/' })).status).toBe(200);
    const again = spawnSync('/bin/sh', ['-c', command], { cwd: host.folder, timeout: 10_000 });
    expect(again.status).toBe(1);
    expect((await httpRequest({ origin: host.origin, path: '/' })).status).toBe(200);
  });

  test('has a program that starts the server with the first request, after a crash, and after its end', async ({
    stage,
  }) => {
    const host = await startHost(stage);
    host.install('www/app.cgi', onDemand ?? '');
    host.install('app/start', startProgram ?? '');
    stage.add(() => host.kill('SIGKILL'));
    const ask = async (): Promise<number> =>
      (await httpRequest({ origin: host.origin, path: '/', deadlineMs: 15_000 })).status;
    expect(await ask()).toBe(200);
    const [first] = host.serverPids();
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
    expect(host.serverPids()).toEqual([first]);
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const before = host.serverPids();
      host.kill(signal);
      expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
      // These may have been the last ones that it answered.
      await until(() => host.serverPids().every((pid) => !before.includes(pid)), 10_000, 'the end of the server');
      expect(await ask()).toBe(200);
      expect(host.serverPids()).toHaveLength(1);
    }
  });

  test('has a program that starts the server when one is ending that holds the lock for longer', async ({ stage }) => {
    const host = await startHost(stage);
    host.install('www/app.cgi', onDemand ?? '');
    host.install('app/start', startProgram ?? '');
    stage.add(() => host.kill('SIGKILL'));
    // Has given up its socket, and is still busy.
    const ending = spawn('flock', ['-n', 'lock', 'sh', '-c', 'echo held; sleep 1'], { cwd: host.path('app') });
    const ended = once(ending, 'exit');
    await within(once(ending.stdout, 'data'), 5_000, 'the lock');
    expect((await httpRequest({ origin: host.origin, path: '/', deadlineMs: 15_000 })).status).toBe(200);
    expect(await within(ended, 5_000, 'the end of the lock')).toEqual([0, null]);
    expect(host.serverPids()).toHaveLength(1);
  });

  test('has a line that compiles the program', async ({ stage }) => {
    const folder = stage.folder();
    mkdirSync(join(folder, 'node_modules/@scgi'), { recursive: true });
    symlinkSync(join(root, 'packages/cgi'), join(folder, 'node_modules/@scgi/cgi'));
    const { status } = spawnSync('/bin/sh', ['-ec', compileLine ?? ''], { cwd: folder, timeout: 30_000 });
    expect(status).toBe(0);
    expect(spawnSync(join(folder, 'cgi2scgi'), { timeout: 5_000, env: {} }).status).toBe(2);
  });
});

interface Host {
  readonly folder: string;
  readonly origin: string;
  path(name: string): string;
  /** A text of the page for this place: another home, and an application that the web server's user can reach. */
  moved(text: string): string;
  install(name: string, text: string): void;
  /** Starts the server of the page, and waits for nothing: cgi2scgi does. */
  serve(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** The processes of the server of the page. */
  serverPids(): number[];
}

async function startHost(stage: Stage): Promise<Host> {
  const folder = stage.folder();
  // Programs run as the web server's user here, who is to make the socket and the log.
  for (const name of ['.', 'bin', 'www', 'app']) {
    mkdirSync(join(folder, name), { recursive: true });
    chmodSync(join(folder, name), name === 'app' ? 0o777 : 0o755);
  }
  const moved = (text: string): string => text.replaceAll('/home/me', folder).replaceAll('mode=0600', 'mode=0666');
  const path = (name: string): string => join(folder, name);
  const install = (name: string, text: string): void => writeFileSync(path(name), moved(text), { mode: 0o755 });
  compile(path('bin/cgi2scgi'));
  install('www/.htaccess', blockOf('htaccess'));
  install('app/server.js', blockOf('js'));
  writeFileSync(path('app/package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), path('app/node_modules'));
  const apache = await startApache(folder);
  stage.add(apache.stop);
  const serverPids = (): number[] => pidsOf('node\0server.js\0', path('app'));
  return {
    folder,
    origin: apache.origin,
    path,
    moved,
    install,
    async serve() {
      const server = spawn(process.execPath, [path('app/server.js')], { stdio: 'ignore' });
      stage.add(() => server.kill('SIGKILL'));
    },
    kill: (signal) => serverPids().forEach((pid) => process.kill(pid, signal)),
    serverPids,
  };
}

/** The processes with this command line in this folder. */
function pidsOf(commandLine: string, folder: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  return pids.filter((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'latin1') === commandLine && readlinkSync(`/proc/${pid}/cwd`) === folder
      );
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}

/** What such a host has: Apache, its modules for CGI, and files of the user's own. */
function startApache(home: string): Promise<Apache> {
  return startApacheWith(
    ({ folder, port }) => `
      ServerRoot ${folder}
      DefaultRuntimeDir ${folder}
      PidFile ${folder}/httpd.pid
      Mutex file:${folder}
      ErrorLog ${folder}/error.log
      ServerName localhost
      Listen 127.0.0.1:${port}
      ${loadModules(['mpm_event', 'authz_core', 'env', 'mime', 'rewrite', 'cgid'])}
      ${userLines().join('\n')}
      ScriptSock ${folder}/cgid.sock
      TypesConfig /dev/null
      DocumentRoot ${home}/www
      <Directory ${home}/www>
        Require all granted
        AllowOverride Options FileInfo AuthConfig
      </Directory>
    `,
  );
}
