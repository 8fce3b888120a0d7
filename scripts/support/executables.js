// The programs from outside npm that the tests drive: what they are called and where to look for them.
// Shared by the test runner, which installs them, and by the tests, which start them.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Each program: the names of its executable in order of preference, and its Debian package, or several. */
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
  openssl: { executables: ['openssl'], debianPackage: 'openssl' },
};

/** @typedef {keyof typeof programs} ProgramName */

/** In continuous integration a missing program is a failure, for a user it is a skip. */
export const isContinuousIntegration = process.env['CI'] === 'true' || process.env['CI'] === '1';

/**
 * The absolute path of a program, or undefined if this machine does not have it.
 * @param {ProgramName} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  // Debian keeps servers in the sbin folders, which are not on the PATH of an ordinary user.
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/opt/homebrew/bin',
  ];
  const candidates = programs[name].executables.flatMap((executable) =>
    folders.filter((folder) => folder !== '').map((folder) => join(folder, executable)),
  );
  return candidates.find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for us: the next candidate may be.
  }
}
