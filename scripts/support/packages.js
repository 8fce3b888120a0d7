// Brings the npm packages and the builds of the workspace up to date, doing nothing where nothing is needed.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { root, step } from './run.js';

/** Installs the npm packages if they are missing or older than the lock file. Returns whether they are there. */
export async function ensurePackages() {
  if (packagesAreCurrent()) return true;
  // Not `npm ci`: it refuses a lock file without the native packages of some platform it will never run on, and a
  // registry that does not mirror all platforms makes such files. This takes the locked versions all the same.
  // NODE_ENV=production in the environment would leave the build tools out.
  const args = ['install', '--no-save', '--include=dev', '--no-fund', '--no-audit'];
  const { ok } = await step('install npm packages', ...npm(args));
  return ok;
}

/** Builds every package that has changed. */
export async function buildPackages() {
  const turbo = join(root, 'node_modules/turbo/bin/turbo');
  const { ok } = await step('build', process.execPath, [turbo, 'run', 'build', '--output-logs=errors-only']);
  return ok;
}

/**
 * How to start npm: by its script if npm itself started us, which needs no shell, also on Windows.
 * @param {readonly string[]} args
 * @returns {[command: string, args: string[]]}
 */
export function npm(args) {
  const script = process.env['npm_execpath'];
  return script?.endsWith('npm-cli.js') ? [process.execPath, [script, ...args]] : ['npm', [...args]];
}

function packagesAreCurrent() {
  // npm leaves a copy of the lock file behind when, and only when, an installation is complete.
  const installed = modifiedAt('node_modules/.package-lock.json');
  const wanted = modifiedAt('package-lock.json');
  // Adding a package writes both within one moment, in either order.
  return installed !== undefined && (wanted === undefined || wanted <= installed + 2000);
}

function modifiedAt(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;
}
