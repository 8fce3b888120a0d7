// Every package as a user gets it: packed, installed in an empty project, imported, required, compiled against.
// What is tested is the tarball, never the folder it was made from.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm } from '../../scripts/support/packages.js';
import { testsEveryCombination } from '../support/combinations.js';
import { entriesOf, packages, root, type Manifest, type Package } from './workspace.js';

/** What `npm pack --json` says about one tarball. */
interface Tarball {
  readonly name: string;
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

// What `npm install` fetches. The declarations keep their docstrings; the code goes without comments.
const maxCoreBytes = 100_000;
/** The build, README, licence and manifest. */
const shipped = /^dist\/.*\.(js|d\.ts)$|^(LICENSE|README\.md|package\.json)$/;
/** What is shipped besides, as it is in the repository: source, never a binary. */
const assets = [
  'cgi/bin/cgi2scgi.js',
  'cgi/launcher/launcher.pl',
  'cgi/launcher/launcher.py',
  'cgi/native/cgi2scgi.c',
  'cgi/native/cgi2scgi.pl',
];
const installScripts = ['preinstall', 'install', 'postinstall', 'prepare'];

let folder = '';
let project = '';
const tarballs = new Map<string, Tarball>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scgi-packages-'));
  project = join(folder, 'project');
  for (const tarball of await packAll(folder)) tarballs.set(tarball.name, tarball);
  await installAll(project);
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(packages)('$manifest.name', (pkg) => {
  const { manifest } = pkg;

  test('has nothing that publint warns of', async () => {
    const contents = await readFile(join(folder, tarballOf(pkg).filename));
    const tarball = new Uint8Array(contents).buffer;
    const { messages } = await publint({ pack: { tarball }, level: 'warning' });
    expect(messages.map((message) => formatMessage(message, { ...manifest }, { color: false }))).toEqual([]);
  });

  test('ships its build, its README and its licence, and nothing else', () => {
    const files = tarballOf(pkg).files.map((file) => file.path);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    const others = files.filter((file) => !shipped.test(file) && !assets.includes(`${pkg.folder}/${file}`));
    expect(others).toEqual([]);
    // Without it a package would be fine to all eyes, and slow.
    const lacking = assets.filter(
      (asset) => asset.startsWith(`${pkg.folder}/`) && !files.includes(asset.slice(pkg.folder.length + 1)),
    );
    expect(lacking).toEqual([]);
  });

  if (manifest.bin !== undefined) {
    test('has commands that start', async () => {
      for (const [name, file] of Object.entries(manifest.bin ?? {})) {
        expect(tarballOf(pkg).files.find(({ path }) => path === file)?.mode).toBe(0o755);
        const said = await run(join(project, 'node_modules/.bin', name), [], project).catch(String);
        expect(said).toMatch(new RegExp(`^(?:Error: .*\\n)?${name}: `));
      }
    });
  }

  test('runs nothing when it is installed', () => {
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => installScripts.includes(name))).toEqual([]);
  });

  test('imports each of its entries', async () => {
    expect(await countExports(manifest, (entry) => `await import('${entry}')`)).toEqual(everyEntry(manifest));
  });

  // Present since Node.js 20.19 and 22.12, unless it is switched off.
  test.skipIf(!process.features.require_module)(
    'can be required from CommonJS (where Node.js can require ES modules)',
    async () => {
      expect(await countExports(manifest, (entry) => `require('${entry}')`)).toEqual(everyEntry(manifest));
    },
  );
});

// One compilation for all, or, since one package's declarations might help another's out, one for each.
const compiled = testsEveryCombination ? packages.map((pkg) => [pkg]) : [packages];
test.each(compiled.map((group) => [group.map(({ folder: name }) => name).join(), group] as const))(
  '%s give their types to a strict project',
  async (names, group) => {
    const entries = group.flatMap(({ manifest }) => entriesOf(manifest));
    const lines = entries.map((entry, index) => `import * as entry${index} from '${entry}';\nvoid entry${index};`);
    expect(await compile(`${names}.ts`, lines.join('\n'))).toBe('');
  },
);

describe('@scgi/core', () => {
  const [core] = packages.filter(({ folder: name }) => name === 'core');

  test('depends on nothing at run time', () => {
    expect({ ...core?.manifest.dependencies, ...core?.manifest.peerDependencies }).toEqual({});
  });

  test(`is a download of less than ${maxCoreBytes / 1000} kB`, () => {
    const { size = Infinity, unpackedSize = Infinity } = tarballs.get('@scgi/core') ?? {};
    console.log(`@scgi/core: ${(size / 1000).toFixed(1)} kB packed, ${(unpackedSize / 1000).toFixed(1)} kB unpacked`);
    expect(size).toBeLessThan(maxCoreBytes);
  });
});

test('the compiler check sees a wrong type', async () => {
  expect(await compile('wrong.ts', 'const port: number = "80";\nvoid port;')).toContain('TS2322');
});

async function packAll(destination: string): Promise<Tarball[]> {
  const paths = packages.map(({ path }) => path);
  const output = await run(
    ...npm(['pack', '--json', '--ignore-scripts', '--pack-destination', destination, ...paths]),
    root,
  );
  const report: readonly Tarball[] | Readonly<Record<string, Tarball>> = JSON.parse(output);
  return Object.values(report);
}

/** Installs all tarballs at once: each finds the others as the dependencies it asks for, without the registry. */
async function installAll(into: string): Promise<void> {
  const dependencies = Object.fromEntries(
    [...tarballs.values()].map(({ name, filename }) => [name, `file:../${filename}`]),
  );
  await mkdir(into);
  await writeFile(join(into, 'package.json'), JSON.stringify({ private: true, dependencies }));
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  await run(...npm(['install', ...flags]), into);
}

function tarballOf({ manifest }: Package): Tarball {
  const tarball = tarballs.get(manifest.name);
  if (tarball === undefined) throw new Error(`${manifest.name} was not packed`);
  return tarball;
}

/** Loads each entry in a fresh process; true for an entry that has at least one export. */
async function countExports(manifest: Manifest, load: (entry: string) => string): Promise<Record<string, boolean>> {
  const results = entriesOf(manifest).map((entry) => `'${entry}': Object.keys(${load(entry)}).length > 0`);
  const body = `console.log(JSON.stringify({ ${results.join(', ')} }))`;
  const usesImport = body.includes('await import');
  const file = join(project, usesImport ? 'load.mjs' : 'load.cjs');
  await writeFile(file, body);
  return JSON.parse(await run(process.execPath, [file], project));
}

function everyEntry(manifest: Manifest): Record<string, boolean> {
  return Object.fromEntries(entriesOf(manifest).map((entry) => [entry, true]));
}

/** What the TypeScript compiler complains of in a source of the project: '' if nothing. */
async function compile(name: string, source: string): Promise<string> {
  await writeFile(join(project, name), source);
  const config = {
    compilerOptions: {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
      // The only thing that the project takes from outside: types for Node.js, as every TypeScript project for it has.
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: [name],
  };
  const configFile = join(project, `tsconfig.${name}.json`);
  await writeFile(configFile, JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', configFile], project).catch((error: Error) => error.message);
}

/** Standard output of a command; rejects with all that it said if it fails. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, timeout: 100_000, maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error instanceof Error ? { stdout: '', stderr: '', ...error } : {};
    throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
  }
}
