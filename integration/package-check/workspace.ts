// The packages of this repository as data: their manifests, their sources, and the code in a source without its words.

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** The parts of a package.json that the checks look at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One package to be published. */
export interface Package {
  /** Name of its folder in packages/. */
  readonly folder: string;
  readonly path: string;
  readonly manifest: Manifest;
}

/** One TypeScript source of a package. */
export interface Source {
  /** Path below the package's src folder: `protocol/errors.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without the contents of strings. */
  readonly code: string;
  /** What it imports or re-exports from, types included. */
  readonly imports: readonly string[];
}

/** Every folder in packages/ that has a manifest. */
export const packages: readonly Package[] = readdirSync(join(root, 'packages'))
  .map((folder) => ({ folder, path: join(root, 'packages', folder) }))
  .filter(({ path }) => existsSync(join(path, 'package.json')))
  .map(({ folder, path }) => ({ folder, path, manifest: readManifest(path) }));

/** The import specifiers that a package offers, by its exports map: `@scgi/core`, `@scgi/core/env`, … */
export function entriesOf({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key) => name + key.slice(1));
}

/** All TypeScript sources below a package's src folder. */
export function sourcesOf({ path }: Package): Source[] {
  const folder = join(path, 'src');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readSource(folder, join(entry.parentPath, entry.name)));
}

function readSource(folder: string, file: string): Source {
  const text = readFileSync(file, 'utf8');
  const path = relative(folder, file).replaceAll('\\', '/');
  return { path, text, code: withoutWords(text), imports: importsOf(text) };
}

/** Blanks comments and strings, which may say anything. */
export function withoutWords(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g, (words) =>
    words.startsWith('/') ? '' : "''",
  );
}

/** The specifiers of static and dynamic imports and of re-exports. */
export function importsOf(text: string): string[] {
  const statements = /^\s*(?:import|export)\b[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;
  const calls = /\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(statements), ...text.matchAll(calls)].map((match) => match[1] ?? match[2] ?? '');
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}
