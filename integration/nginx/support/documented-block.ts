// Starts nginx with a block of the documentation: its places are replaced by ones of the test, the rest stays.

import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/deadline.js';
import { createCertificate } from './certificate.js';
import type { Stage } from './stage.js';

export interface StartedFence {
  readonly origin: string;
  readonly folder: string;
}

/**
 * Starts nginx with a block of the documentation, whose places are replaced by ones of the test.
 * @param moves further places, and what takes theirs
 */
export async function startFence(
  stage: Stage,
  code: string,
  moves: Readonly<Record<string, string>> = {},
): Promise<StartedFence> {
  const folder = stage.folder();
  for (const name of ['run/app', 'ssl']) mkdirSync(join(folder, name), { recursive: true });
  const { certificate, key } = createCertificate(join(folder, 'ssl'));
  copyFileSync(certificate, join(folder, 'ssl/example.com.pem'));
  copyFileSync(key, join(folder, 'ssl/example.com.key'));
  const params = ['/etc/nginx', '/usr/local/etc/nginx', '/opt/homebrew/etc/nginx'].find(existsSync);
  const listen = join(folder, 'listen.sock');
  const moved = Object.entries(moves).reduce((text, [place, other]) => text.replaceAll(place, other), code);
  const block = moved
    .replaceAll('/run/', `${folder}/run/`)
    .replaceAll('/etc/ssl/', `${folder}/ssl/`)
    .replaceAll(/\binclude\s+(scgi|fastcgi)_params;/g, `include ${params}/$1_params;`)
    .replaceAll(/\blisten\s+\d+/g, `listen unix:${listen}`);
  const isLocation = block.startsWith('location');
  const directives = isLocation ? { serverDirectives: [block] } : { httpDirectives: [block] };
  const nginx = await stage.nginx({ locations: [], ...directives });
  // Told to stop before it has workers, nginx would not hear it.
  await until(() => nginx.workerPids().length > 0, 5_000, 'the workers of nginx');
  return { origin: isLocation ? nginx.origin : `unix:${listen}`, folder };
}
