// What a start loads: behind a web server that knows nothing but CGI, each request is one.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

/** What Node.js has loaded of itself once a module is there. */
async function loadedBy(name: string): Promise<readonly string[]> {
  const source = `import ${JSON.stringify(name)}; console.log(JSON.stringify(process.moduleLoadList));`;
  const args = ['--input-type=module', '--eval', source];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  return JSON.parse(stdout);
}

test.each(['@scgi/core', '@scgi/adapter-express', '@scgi/adapter-koa'])(
  '%s loads http, and neither Undici nor HTTP/2 nor Web Crypto, which take as long as the rest',
  async (name) => {
    const loaded = await loadedBy(name);
    expect(loaded).toContain('NativeModule http');
    expect(loaded).toContain('NativeModule net');
    for (const slow of ['internal/deps/undici/undici', 'http2', 'internal/crypto/webcrypto']) {
      expect(loaded).not.toContain(`NativeModule ${slow}`);
    }
  },
);

// So their names are right: what is loaded would be seen.
test.each([
  ['@scgi/adapter-fetch', 'internal/deps/undici/undici'],
  ['node:http2', 'http2'],
  ['node:crypto', 'internal/crypto/webcrypto'],
])('%s loads %s', async (name, slow) => {
  expect(await loadedBy(name)).toContain(`NativeModule ${slow}`);
});
