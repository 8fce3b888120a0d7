import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../../src/protocol/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));

test.each(files)('protocol/%s imports only its neighbours, so that it runs on any runtime', (name) => {
  const source = readFileSync(new URL(name, folder), 'utf8');
  const imported = [...source.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1]);
  for (const specifier of imported) expect(specifier).toMatch(/^\.\/[a-z0-9-]+\.js$/);
  expect(source).not.toMatch(/\brequire\(|\bprocess\./);
});
