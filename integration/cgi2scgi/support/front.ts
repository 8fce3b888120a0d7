// A web server that offers nothing but CGI, with one program in its folder: a line that names cgi2scgi and a socket.

import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe } from 'vitest';
import type { Stage } from '../../nginx/support/stage.js';
import { startApache } from '../../support/apache.js';
import { testsEveryCombination } from '../../support/combinations.js';
import { describeWith } from '../../support/front-ends.js';
import { startLighttpd } from '../../support/lighttpd.js';
import type { ServerProcess } from '../../support/server-process.js';
import { describeVariants, sources, type Variant } from './variants.js';

/** One kind of web server. */
export interface Front {
  readonly name: 'Apache with mod_cgid' | 'Apache with mod_cgi' | 'lighttpd';
  readonly start: (folder: string, options: FrontOptions) => Promise<ServerProcess>;
}

export interface FrontOptions {
  /** What a user writes into `.htaccess`. Apache only. */
  readonly htaccess?: readonly string[];
}

/** A running one, and where the application is to listen. */
export interface StartedFront extends ServerProcess {
  /** `http://127.0.0.1:port/cgi-bin/app.cgi` without the path. */
  readonly origin: string;
  readonly bind: string;
}

export const program = '/cgi-bin/app.cgi';

const apache = (cgiModule: 'cgid' | 'cgi'): Front => ({
  name: `Apache with mod_${cgiModule}`,
  start: (folder, { htaccess = [] }) =>
    startApache({
      cgi: [{ folder, directives: htaccess, passAuthorization: false }],
      cgiModule,
      modules: ['env'],
      trustLength: false,
    }),
});

const lighttpd: Front = { name: 'lighttpd', start: (folder) => startLighttpd({ cgi: [{ folder }], streamRequest: 1 }) };

/** The one of which a program gets standard input and output as one socket is where the programs differ most. */
const programsBehind = {
  'Apache with mod_cgid': ['Node.js', 'C', 'Perl'],
  'Apache with mod_cgi': ['C'],
  lighttpd: ['Perl'],
} as const;

/** Runs the tests with each web server and each program. */
export function describeFronts(title: string, tests: (front: Front, variant: Variant) => void): void {
  describe(title, () => {
    for (const front of [apache('cgid'), apache('cgi'), lighttpd]) {
      describeWith(front === lighttpd ? 'lighttpd' : 'apache', front.name, () => {
        const names = programsBehind[testsEveryCombination ? 'Apache with mod_cgid' : front.name];
        describeVariants('with cgi2scgi', (variant) => tests(front, variant), names);
      });
    }
  });
}

/** Starts a web server with the program. The application may come later, or never. */
export async function startFront(
  stage: Stage,
  front: Front,
  variant: Variant,
  options: FrontOptions & { readonly settings?: string } = {},
): Promise<StartedFront> {
  const folder = stage.folder();
  const sockets = stage.folder();
  chmodSync(sockets, 0o755);
  const interpreter = installInterpreter(variant, sockets);
  const socket = join(sockets, 'app.sock');
  writeFileSync(join(folder, 'app.cgi'), `#!${interpreter} unix:${socket} ${options.settings ?? ''}\n`, {
    mode: 0o755,
  });
  const server = await front.start(folder, options);
  stage.add(server.stop);
  return { ...server, bind: `unix:${socket}?mode=0666` };
}

/** Where the web server's user can run it. The one for Node.js needs its packages, and stays where these are. */
function installInterpreter(variant: Variant, folder: string): string {
  if (variant.name === 'Node.js') return sources.bin;
  const source = variant.name === 'Perl' ? sources.perl : variant.command()[0];
  const interpreter = join(folder, basename(source));
  copyFileSync(source, interpreter);
  chmodSync(interpreter, 0o755);
  return interpreter;
}
