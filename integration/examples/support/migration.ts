// A site that goes from CGI to SCGI as the guide says: its blocks and commands, with /srv and /run moved to a folder of a test.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { delimiter, dirname, join, relative } from 'node:path';
import type { Stage } from '../../nginx/support/stage.js';
import type { Fence } from '../../package-check/markdown.js';
import { root } from '../../package-check/workspace.js';
import { loadModules, userLines } from '../../support/apache-config.js';
import { startApacheWith } from '../../support/apache.js';
import { until, within } from '../../support/deadline.js';
import { stockParams } from '../../support/nginx-config.js';
import { startNginx } from '../../support/nginx.js';
import { findFreePort, type ServerPlace, type ServerProcess } from '../../support/server-process.js';
import { exampleFolder, stepOf } from './migration-guide.js';

const isDebianRoot = process.getuid?.() === 0 && existsSync('/etc/debian_version');
const modules = ['mpm_event', 'authz_core', 'alias', 'env', 'cgid', 'proxy', 'proxy_scgi'];

/** The web site as one step has it. */
export interface Site {
  readonly origin: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** `/srv/guestbook` and `/run/guestbook` for one site at a time. */
export class Migration {
  readonly #folder: string;
  readonly #stage: Stage;
  /** By their block. */
  readonly #servers: Map<string, Promise<ServerProcess>>;

  /** The example is copied to `/srv/guestbook`, without entries. */
  constructor(stage: Stage) {
    this.#stage = stage;
    this.#servers = new Map();
    this.#folder = stage.folder();
    chmodSync(this.#folder, 0o755);
    const isOwn = (path: string): boolean => !['data', 'node_modules'].includes(relative(exampleFolder, path));
    cpSync(exampleFolder, this.file(), { recursive: true, filter: isOwn });
    symlinkSync(join(root, 'node_modules'), this.file('node_modules'));
    for (const folder of [this.file('data'), this.#move('/run/guestbook')]) mkdirSync(folder, { recursive: true });
    // On a real host it belongs to www-data, who all of it runs as. Here only the Apache of root does.
    chmodSync(this.file('data'), 0o777);
  }

  /** A file below `/srv/guestbook`. */
  file(name = ''): string {
    return join(this.#move('/srv/guestbook'), name);
  }

  /** Writes a program of these lines. */
  writeProgram(name: string, text: string): void {
    writeFileSync(this.file(name), this.#move(text), { mode: 0o755 });
  }

  /** Runs lines of shell to their end. Throws if they fail. */
  runShell(lines: string): void {
    execFileSync('sh', ['-ec', this.#move(lines)]);
  }

  /**
   * Starts the program of a step, if it has one, and the web server with its block, which then stays for other steps.
   * @param block another than that of the step
   */
  async open(number: number, { language, code }: Fence = blockOf(number)): Promise<Site> {
    const server = this.#servers.get(code) ?? (language === 'nginx' ? this.#startNginx(code) : this.#startApache(code));
    this.#servers.set(code, server);
    const { origin } = await server;
    const { command } = stepOf(number);
    const end = command === undefined ? async (): Promise<void> => {} : await this.#run(command);
    return { origin, [Symbol.asyncDispose]: end };
  }

  /** Runs lines of shell until their program listens. The function returned ends it. */
  async #run(command: string): Promise<() => Promise<void>> {
    const socket = this.#move('/run/guestbook/app.sock');
    const env = { PATH: `${dirname(process.execPath)}${delimiter}/usr/bin:/bin` };
    const child = spawn('sh', ['-c', this.#move(command)], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    let ended = false;
    const closed = once(child, 'close').then(() => (ended = true));
    const end = async (): Promise<void> => {
      if (!ended) process.kill(-(child.pid ?? 0), 'SIGTERM');
      await within(closed, 10_000, `the end of ${command}`);
    };
    this.#stage.add(() => ended || process.kill(-(child.pid ?? 0), 'SIGKILL'));
    await until(
      () => ended || existsSync(socket),
      15_000,
      () => `${command}\n${output}`,
    );
    if (ended) throw new Error(`${command} has ended:\n${output}`);
    return end;
  }

  async #startApache(code: string): Promise<ServerProcess> {
    const format = ({ folder, port }: ServerPlace): string => `
      ServerRoot ${folder}
      DefaultRuntimeDir ${folder}
      PidFile ${folder}/httpd.pid
      Mutex file:${folder}
      ErrorLog ${folder}/error.log
      ServerName localhost
      DocumentRoot ${folder}/htdocs
      Listen 127.0.0.1:${port}
      ${loadModules(modules)}
      ${userLines().join('\n')}
      ScriptSock ${folder}/cgid.sock
      <VirtualHost 127.0.0.1:${port}>
      ${this.#move(code)}
      </VirtualHost>
    `;
    const apache = await startApacheWith(format);
    this.#stage.add(apache.stop);
    return apache;
  }

  async #startNginx(code: string): Promise<ServerProcess> {
    const port = await findFreePort();
    const block = this.#move(code)
      .replaceAll(/\binclude\s+scgi_params;/g, `include ${stockParams()};`)
      .replace(/\blisten\s+80;/, `listen 127.0.0.1:${port};`);
    const nginx = await startNginx({ locations: [], httpDirectives: [block] });
    this.#stage.add(nginx.stop);
    // Told to stop before it has workers, nginx would not hear it.
    await until(() => nginx.workerPids().length > 0, 5_000, 'the workers of nginx');
    return { ...nginx, origin: `http://127.0.0.1:${port}` };
  }

  #move(text: string): string {
    const moved = text.replaceAll(/(?<!\w)\/(srv|run)\//g, `${this.#folder}/$1/`);
    // Who is not root cannot give a socket to the group of Debian's web servers, and need not.
    return isDebianRoot ? moved : moved.replace('mode=0660&group=www-data', 'mode=0666');
  }
}

/** That of the step, or of the last one before it that has one. */
function blockOf(number: number): Fence {
  return stepOf(number).block ?? blockOf(number - 1);
}
