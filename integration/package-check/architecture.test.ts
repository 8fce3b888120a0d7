// Holds the layers: who may import whom, where types may be bent, how large a source may be.
// Each rule names the sources that break it, so that a failure says what to change.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { entriesOf, importsOf, packages, sourcesOf, withoutWords, type Source } from './workspace.js';

const layers = ['protocol', 'env', 'server', 'node', 'lifecycle', 'relay', 'files'];

/** The ladder of @scgi/core: a layer imports only what stands in its row. The sources above the layers join them. */
const coreLayers: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  env: ['protocol'],
  server: ['protocol', 'env'],
  node: ['protocol', 'env', 'server', 'files'],
  stdio: ['protocol', 'env', 'server', 'node'],
  lifecycle: ['protocol'],
  relay: ['protocol', 'env'],
  files: ['protocol', 'env'],
  'scgi-server.ts': layers,
  'serve.ts': [...layers, 'scgi-server.ts'],
  'serve-cgi.ts': [...layers, 'stdio', 'serve.ts'],
  'index.ts': [...layers, 'stdio', 'scgi-server.ts', 'serve.ts', 'serve-cgi.ts'],
};

/** What a layer must not take from Node.js: all of it, or these modules. */
const forbiddenBuiltins: Readonly<Record<string, readonly string[]>> = {
  protocol: builtinModules,
  env: builtinModules,
  server: ['http', 'https', 'http2', 'net', 'tls', 'fs'],
  lifecycle: ['http', 'https', 'http2'],
  stdio: ['http', 'https', 'http2'],
  files: ['http', 'https', 'http2', 'net', 'tls'],
};

/** Folders in which `any` and casts are allowed, and why. */
const mayBendTypes: Readonly<Record<string, string>> = {
  'core/node/internals/': "Node's private fields have no types",
};

const maxLines = 300;
const maxAdapterLines = 100;

const core = packages.filter(({ folder }) => folder === 'core');
/** These have no listener to pass on: they are bridges, on the connection driver like core's own; Gemini has a front besides. */
const bridges = ['adapter-fetch', 'adapter-ssgi', 'adapter-gemini'];
const adapters = packages.filter(({ folder }) => folder.startsWith('adapter-') && !bridges.includes(folder));

describe('the layers of core', () => {
  const sources = core.flatMap(sourcesOf);

  test('are the known ones', () => {
    expect(sources.map(layerOf).filter((layer) => !(layer in coreLayers))).toEqual([]);
    expect(sources.length).toBeGreaterThan(0);
  });

  test('import down the ladder only', () => {
    const wrong = sources.flatMap((source) => {
      const allowed = [layerOf(source), ...(coreLayers[layerOf(source)] ?? [])];
      return relativeImports(source)
        .filter((target) => !allowed.includes(layerOf({ path: target })))
        .map((target) => `${source.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('keep away from the parts of Node.js that are not theirs', () => {
    const wrong = sources.flatMap((source) => {
      const forbidden = forbiddenBuiltins[layerOf(source)] ?? [];
      return source.imports
        .filter((name) => forbidden.some((builtin) => isModule(name, builtin)))
        .map((name) => `${source.path} imports ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('import nothing from outside', () => {
    const wrong = sources.flatMap(({ path, imports }) =>
      imports.filter((name) => !name.startsWith('.') && !name.startsWith('node:')).map((name) => `${path}: ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the exchange of the client, which gateways share', () => {
  const sources = packages.filter(({ folder }) => folder === 'client').flatMap(sourcesOf);
  const exchange = sources.filter((source) => layerOf(source) === 'exchange');

  test('knows nothing of what is built on it', () => {
    const wrong = exchange.flatMap((source) =>
      relativeImports(source)
        .filter((target) => layerOf({ path: target }) !== 'exchange')
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
    expect(exchange.length).toBeGreaterThan(0);
  });

  test('speaks SCGI only: no HTTP classes', () => {
    const wrong = sources.filter(({ imports }) => imports.some((name) => isModule(name, 'http')));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe.each(packages)('the sources of $folder', (pkg) => {
  const sources = sourcesOf(pkg);

  test('import other packages by their public entries and declare them', () => {
    const declared = Object.keys({ ...pkg.manifest.dependencies, ...pkg.manifest.peerDependencies });
    const entries = packages
      .filter(({ manifest }) => declared.includes(manifest.name))
      .flatMap((p) => entriesOf(p.manifest));
    const wrong = sources.flatMap(({ path, imports }) =>
      imports
        .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
        .filter((name) => (name.startsWith('@scgi/') ? !entries.includes(name) : !isDeclared(name, declared)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('stay inside their own package', () => {
    const wrong = sources.flatMap((source) =>
      relativeImports(source)
        .filter((target) => target.startsWith('..'))
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('bend no types', () => {
    const wrong = sources
      .filter(({ path }) => !Object.keys(mayBendTypes).some((folder) => `${pkg.folder}/${path}`.startsWith(folder)))
      .flatMap(({ path, code }) => bentTypes(code).map((line) => `${path}: ${line}`));
    expect(wrong).toEqual([]);
  });

  test('hold no logic in an index.ts', () => {
    const wrong = sources
      .filter(({ path }) => posix.basename(path) === 'index.ts')
      .filter(({ code }) => hasLogic(code));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  test(`have less than ${maxLines} lines each`, () => {
    const tooLong = sources.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
    expect(tooLong.filter(({ lines }) => lines >= maxLines)).toEqual([]);
  });
});

test.each(adapters)(`$folder has less than ${maxAdapterLines} lines of code`, (pkg) => {
  const lines = sourcesOf(pkg).flatMap(({ code }) => code.split('\n').filter((line) => line.trim() !== ''));
  expect(lines.length).toBeLessThan(maxAdapterLines);
});

// The rules above read sources with regular expressions. These show that they see what they must see.
describe('the reading of sources', () => {
  test('finds every kind of import', () => {
    const text = `import a from 'a';\nimport type {\n  B,\n} from './b.js';\nexport * from '../c.js';\nimport 'd';\nawait import('e');`;
    expect(importsOf(text)).toEqual(['a', './b.js', '../c.js', 'd', 'e']);
  });

  test.each(['const x = y as Z;', 'const x: any = 1;', 'f<any>(x);', 'const x = <any[]>y;', '(y as unknown) as Z'])(
    'sees the bent type in %s',
    (code) => expect(bentTypes(withoutWords(code))).not.toEqual([]),
  );

  test.each([
    'const states = { open: 1 } as const;',
    "import { a as b } from 'c';",
    "import * as c from 'c';",
    "export { a as b } from 'c';",
    "// as it says, any word\nconst x = 'as such, any string';",
    'const company = many.any(1);',
  ])('sees no bent type in %s', (code) => expect(bentTypes(withoutWords(code))).toEqual([]));

  test('tells re-exports from logic', () => {
    expect(hasLogic(withoutWords("export * from './a.js';\nexport {\n  type B,\n} from './b.js';"))).toBe(false);
    expect(hasLogic(withoutWords("import { a } from './a.js';\nexport const b = a();"))).toBe(true);
  });
});

/** The first folder of a source, or its own name at the top. */
function layerOf({ path }: Pick<Source, 'path'>): string {
  return path.split('/')[0] ?? path;
}

/** Where the relative imports of a source lead, as paths below src. */
function relativeImports({ path, imports }: Source): string[] {
  return imports
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts'));
}

function isModule(name: string, builtin: string): boolean {
  const bare = name.replace(/^node:/, '');
  return bare === builtin || bare.startsWith(`${builtin}/`);
}

function isDeclared(name: string, declared: readonly string[]): boolean {
  return declared.some((dependency) => name === dependency || name.startsWith(`${dependency}/`));
}

/** The lines with `any` in the place of a type, or with a cast. */
function bentTypes(code: string): string[] {
  const statements = code.replace(
    /^\s*(?:import|export)\s(?:type\s)?\s*(?:\{[^}]*\}|\*[^;]*?)(?:\s*from\s*'')?;/gm,
    '',
  );
  const bent = /(?:[:<|&,(=]\s*|\bkeyof\s+|\bextends\s+)any\b(?!\s*\()|\bas\s+(?!const\b)[\w{([]/;
  return statements.split('\n').filter((line) => bent.test(line));
}

function hasLogic(code: string): boolean {
  return code.replace(/^export\s(?:type\s)?\s*(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*'';/gm, '').trim() !== '';
}
