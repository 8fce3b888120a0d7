// The programs from outside npm that the tests drive: what they are called and where to look for them.
// Shared by the test runner, which installs them, and by the tests, which start them.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * @typedef {object} Program
 * @property {readonly string[]} executables  names to look for, or absolute paths, in order of preference
 * @property {string} debianPackage  or several
 * @property {readonly string[]} [probe]  arguments with which the executable must end well: what it cannot do without
 */

/** Each program. @satisfies {Record<string, Program>} */
export const programs = {
  nginx: { executables: ['nginx'], debianPackage: 'nginx' },
  apache: { executables: ['apache2', 'httpd'], debianPackage: 'apache2' },
  lighttpd: { executables: ['lighttpd'], debianPackage: 'lighttpd lighttpd-mod-openssl' },
  chromium: {
    executables: ['chromium', 'chromium-browser', 'google-chrome'],
    debianPackage: 'chromium',
  },
  rtorrent: { executables: ['rtorrent'], debianPackage: 'rtorrent' },
  uwsgi: { executables: ['uwsgi', 'uwsgi-core'], debianPackage: 'uwsgi-core uwsgi-plugin-python3' },
  python: { executables: ['python3'], debianPackage: 'python3' },
  'molly-brown': { executables: ['molly-brown'], debianPackage: 'molly-brown' },
  amfora: { executables: ['amfora'], debianPackage: 'amfora' },
  bombadillo: { executables: ['bombadillo'], debianPackage: 'bombadillo' },
  'php-cgi': { executables: ['php-cgi'], debianPackage: 'php-cgi' },
  perl: { executables: ['/usr/bin/perl', '/usr/local/bin/perl'], debianPackage: 'perl-base' },
  'perl with CGI.pm': { executables: ['perl'], probe: ['-MCGI', '-e1'], debianPackage: 'perl libcgi-pm-perl' },
  cc: { executables: ['cc', 'gcc', 'clang'], debianPackage: 'gcc libc6-dev' },
  git: { executables: ['git'], debianPackage: 'git' },
  'git-http-backend': {
    executables: [
      '/usr/lib/git-core/git-http-backend',
      '/usr/libexec/git-core/git-http-backend',
      '/opt/homebrew/opt/git/libexec/git-core/git-http-backend',
    ],
    debianPackage: 'git',
  },
  cgit: { executables: ['/usr/lib/cgit/cgit.cgi'], debianPackage: 'cgit' },
  gitweb: { executables: ['/usr/share/gitweb/gitweb.cgi'], debianPackage: 'gitweb' },
  awstats: { executables: ['/usr/lib/cgi-bin/awstats.pl'], debianPackage: 'awstats' },
  openssl: { executables: ['openssl'], debianPackage: 'openssl' },
};

/** @typedef {keyof typeof programs} ProgramName */

/** In continuous integration a missing program is a failure, for a user it is a skip. */
export const isContinuousIntegration = process.env['CI'] === 'true' || process.env['CI'] === '1';

/** What was found; probes take their time. @type {Map<ProgramName, string>} */
const found = new Map();

/**
 * The absolute path of a program, or undefined if this machine does not have it.
 * @param {ProgramName} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  const path =
    found.get(name) ?? candidatesFor(name).find((candidate) => isExecutable(candidate) && passes(name, candidate));
  if (path !== undefined) found.set(name, path);
  return path;
}

function candidatesFor(name) {
  // Debian keeps servers in the sbin folders, which are not on the PATH of an ordinary user.
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/opt/homebrew/bin',
  ];
  return programs[name].executables.flatMap((executable) =>
    isAbsolute(executable)
      ? [executable]
      : folders.filter((folder) => folder !== '').map((folder) => join(folder, executable)),
  );
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for us: the next candidate may be.
  }
}

function passes(name, path) {
  const { probe } = programs[name];
  return probe === undefined || spawnSync(path, probe, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}
