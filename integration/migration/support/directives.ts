// Which directives nginx does not know: asks it about each in turn, without starting it.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireFrontEnd } from '../../support/front-ends.js';

/** Of these names those that mean nothing to nginx, wherever they stand. */
export function unknownDirectives(folder: string, names: readonly string[]): string[] {
  const file = join(folder, 'nginx.conf');
  return names.filter((name) => {
    writeFileSync(file, `events {}\nhttp { server { location / { ${name}; } } }\n`);
    const { stderr } = spawnSync(requireFrontEnd('nginx'), ['-t', '-p', folder, '-e', '/dev/null', '-c', file]);
    // Whatever else is wrong with it, nginx says so of a directive that it knows.
    return stderr.toString().includes(`unknown directive "${name}"`);
  });
}
