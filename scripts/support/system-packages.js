// Installs the web server and the browser that the tests drive, from Debian's archive, where we may.
// Never starts a service: the tests start their own, in their own folder and on their own port.

import { findProgram, programs } from './executables.js';
import { run, step } from './run.js';

// A policy-rc.d that answers 101 keeps a package from starting its service. One that exists already is left alone
// and ours goes away again, whatever happens.
const installScript = `
  set -e
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\\nexit 101\\n' > "$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
`;

/**
 * Installs what is missing of the given programs, if this is a Debian-like system and we are root or may become it.
 * @param {readonly (keyof typeof programs)[]} names
 * @returns {Promise<{ name: string, reason: string }[]>} the programs that are still missing, with the reason
 */
export async function ensurePrograms(names) {
  const missing = names.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return [];
  const asRoot = await findWayToRoot();
  const stillMissing = [];
  for (const name of missing) {
    const packageName = programs[name].debianPackage;
    const installed = asRoot !== undefined && (await install(asRoot, packageName));
    if (installed && findProgram(name) !== undefined) continue;
    const reason =
      asRoot === undefined ? 'not installed, and there is no apt-get that we may use' : 'its installation failed';
    stillMissing.push({ name, reason: `${reason}; install the package "${packageName}"` });
  }
  return stillMissing;
}

/** The words to put before a command so that it runs as root; none if we cannot, or there is no apt-get. */
async function findWayToRoot() {
  if (!(await run('apt-get', ['--version'])).ok) return undefined;
  if (process.getuid?.() === 0) return [];
  return (await run('sudo', ['-n', 'true'])).ok ? ['sudo', '-n'] : undefined;
}

async function install(asRoot, packageName) {
  const [command = 'sh', ...args] = [...asRoot, 'sh', '-c', installScript, 'install', ...packageName.split(' ')];
  const { ok } = await step(`install ${packageName} (apt-get)`, command, args);
  return ok;
}
