// What a test sets up: the applications of apps/ as CGI programs in a folder, and the web servers that run them.

import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, test as base, type TestAPI } from 'vitest';
import { Stage } from '../../nginx/support/stage.js';
import { startApache, type ApacheOptions } from '../../support/apache.js';
import { testsEveryCombination } from '../../support/combinations.js';
import { until } from '../../support/deadline.js';
import { describeWith } from '../../support/front-ends.js';
import { startLighttpd, type LighttpdOptions } from '../../support/lighttpd.js';
import type { ServerProcess } from '../../support/server-process.js';

/** Each with its program. */
const executables = { 'Apache (mod_cgid)': 'apache', 'Apache (mod_cgi)': 'apache', lighttpd: 'lighttpd' } as const;
export type WebServer = keyof typeof executables;
export const webServers: readonly WebServer[] = ['Apache (mod_cgid)', 'Apache (mod_cgi)', 'lighttpd'];
/** mod_cgid passes one socket as both streams, lighttpd a file and a pipe; mod_cgi two pipes. */
const mostDifferent = testsEveryCombination ? webServers : webServers.filter((name) => name !== 'Apache (mod_cgi)');
export type AppName = 'core' | 'express' | 'koa' | 'fastify' | 'fetch' | 'ssgi';
export const appNames: readonly AppName[] = ['core', 'express', 'koa', 'fastify', 'fetch', 'ssgi'];

/** The programs, `<name>.cgi` each. */
export interface Programs {
  readonly folder: string;
  /** What the process tells that gets a request with these header fields. */
  follow(): FollowedRequest;
}

export interface FollowedRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** Lines of `note`, so far. */
  notes(): string[];
  /** Waits for a line. */
  noted(line: string, ms?: number): Promise<void>;
  /** Lets `gate(name)` go on. */
  open(name: string): void;
}

/** More of a web server's options. */
export interface WebServerOptions {
  readonly apache?: ApacheOptions;
  readonly lighttpd?: LighttpdOptions;
}

const appPath = (name: string): string => fileURLToPath(new URL(`../apps/${name}.js`, import.meta.url));

export class CgiStage extends Stage {
  /** A folder with all applications as programs, as an administrator makes them of a file that is somewhere else. */
  programs(): Programs {
    const folder = this.folder();
    const notesFolder = this.folder();
    // Apache runs programs as www-data.
    chmodSync(notesFolder, 0o777);
    for (const name of appNames) {
      const start = `exec "${process.execPath}" "${appPath(name)}"`;
      const lines = ['#!/bin/sh', `export NOTES_FOLDER="${notesFolder}"`, start];
      writeFileSync(join(folder, `${name}.cgi`), `${lines.join('\n')}\n`, { mode: 0o755 });
    }
    let followed = 0;
    return { folder, follow: () => followRequest(join(notesFolder, `${++followed}`), `${followed}`) };
  }

  /** Starts a program as a person does, with an address in its environment, which is returned. */
  async scgiServer(name: AppName, { folder }: Programs): Promise<string> {
    const path = join(this.folder(), 'app.sock');
    const child = spawn(join(folder, `${name}.cgi`), {
      env: { PATH: process.env['PATH'], SCGI_BIND: `unix:${path}?mode=0666` },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.add(() => child.kill('SIGKILL'));
    await until(() => existsSync(path), 15_000, `the socket of ${name}`);
    return `unix:${path}`;
  }

  /** Starts a web server that runs the programs below /cgi-bin/. */
  async start(server: WebServer, { folder }: Programs, options: WebServerOptions = {}): Promise<ServerProcess> {
    const running =
      server === 'lighttpd'
        ? await startLighttpd({ cgi: [{ folder }], ...options.lighttpd })
        : await startApache({
            cgi: [{ folder }],
            cgiModule: server.includes('cgid') ? 'cgid' : 'cgi',
            ...options.apache,
          });
    this.add(running.stop);
    return running;
  }
}

/** A web server with the programs, for all tests of a group. */
export interface Scene {
  readonly origin: string;
  readonly programs: Programs;
  /** What the web server has logged, and the programs have printed, since the test began. */
  log(): string;
}

/** `describe` for each of these web servers that this machine has, running. */
export function describeWebServers(
  title: string,
  tests: (scene: () => Scene, server: WebServer) => void,
  options: WebServerOptions = {},
  servers: readonly WebServer[] = mostDifferent,
): void {
  for (const server of servers) {
    describeWith(executables[server], `${title} ${server}`, () => {
      const stage = new CgiStage();
      let scene: Scene | undefined;
      let logged = 0;
      beforeAll(async () => {
        const programs = stage.programs();
        const { origin, errorLog } = await stage.start(server, programs, options);
        scene = { origin, programs, log: () => errorLog().slice(logged) };
      });
      beforeEach(() => {
        logged += scene?.log().length ?? 0;
      });
      afterAll(() => stage.clear());
      tests(() => scene ?? unstarted(), server);
    });
  }
}

function followRequest(path: string, id: string): FollowedRequest {
  const notes = (): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []);
  return {
    headers: { 'X-Notes': id },
    notes,
    noted: (line, ms = 10_000) =>
      until(
        () => notes().includes(line),
        ms,
        () => `the note "${line}" behind ${notes().join(', ')}`,
      ),
    open: (name) => writeFileSync(`${path}-${name}`, ''),
  };
}

function unstarted(): never {
  throw new Error('the web server runs from the first test on');
}

/** vitest's `test` with a stage of its own for each test. */
export const test: TestAPI<{ stage: CgiStage }> = base.extend<{ stage: CgiStage }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from the pattern which fixtures this one needs
  stage: async ({}, use) => {
    const stage = new CgiStage();
    try {
      await use(stage);
    } finally {
      await stage.clear();
    }
  },
});
