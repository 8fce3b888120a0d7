// Every line of Apache's log that docs/deployment-apache.md explains is one that Apache writes, for the reason given there.

import { chmodSync, linkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test as plainTest } from 'vitest';
import { pageOf, tableOf } from '../package-check/markdown.js';
import type { ApacheOptions } from '../support/apache.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { test, type ApacheStage } from './support/stage.js';

const page = pageOf('docs/deployment-apache.md');

describeWith('apache', 'the lines of Apache’s log', () => {
  const backend = async (stage: ApacheStage, ...args: Parameters<ApacheStage['serve']>): Promise<string> =>
    (await stage.serve(...args)).address;

  /** What brings each line about: options for an Apache that is then asked. */
  const causes: Record<string, (stage: ApacheStage) => Promise<ApacheOptions>> = {
    '(2)No such file or directory: AH02454: SCGI: attempt to connect to Unix domain socket … failed': async (stage) => {
      const folder = stage.folder();
      chmodSync(folder, 0o755);
      return { to: `unix:${folder}/app.sock` };
    },
    '(111)Connection refused: AH02454: SCGI: attempt to connect to Unix domain socket … failed': async (stage) => ({
      to: await leaveSocketBehind(stage),
    }),
    '(13)Permission denied: AH02454: SCGI: attempt to connect to Unix domain socket … failed': async (stage) => {
      const folder = stage.folder();
      chmodSync(folder, 0);
      stage.add(() => chmodSync(folder, 0o700));
      return { to: `unix:${folder}/app.sock` };
    },
    '(111)Connection refused: AH00957: SCGI: attempt to connect to … failed': async () => ({ to: await freePort() }),
    'End of script output before headers': async (stage) => ({
      to: await backend(stage, (_, response) => void response.destroy()),
    }),
    'Premature end of script headers': async (stage) => ({
      to: await backend(stage, (_, response) => void response.setHeader('X-Big', 'x'.repeat(9_000)).end()),
    }),
    'Script timed out before returning headers': async (stage) => ({
      to: await backend(stage, () => {}),
      serverDirectives: ['ProxyTimeout 1'],
    }),
    'AH00858: sending data to … failed': async (stage) => ({
      to: await backend(stage, (request) => void request.destroy()),
    }),
    'AH01144: No protocol handler was valid for the URL': async () => ({
      locations: [],
      serverDirectives: ['ProxyPass "/" "scgis://127.0.0.1:1/"'],
    }),
  };

  plainTest('are those of the page', () => {
    const lines = tableOf(page, 'line').map(([line = '']) => line.replaceAll('`', ''));
    expect(lines.toSorted()).toEqual(Object.keys(causes).toSorted());
  });

  test.for(Object.entries(causes))('%s', async ([line, cause], { stage }) => {
    const options = await cause(stage);
    const pattern = new RegExp(line.split('…').map(escapeRegExp).join('.*'));
    const apache = await stage.apache(options).catch((error: Error) => error);
    if (apache instanceof Error) return expect(apache.message).toMatch(pattern);
    // More than a socket takes by itself where it is about the sending.
    const body = Buffer.alloc(line.includes('sending data') ? 3_000_000 : 2);
    const ask = (): Promise<unknown> => httpRequest({ origin: apache.origin, body }).catch(() => {});
    return until(
      async () => (await ask(), pattern.test(apache.errorLog())),
      10_000,
      () => `${line} in ${apache.errorLog().slice(-2_000)}`,
    );
  });
});

/** A socket file on which nobody listens any more. */
async function leaveSocketBehind(stage: ApacheStage): Promise<string> {
  const folder = stage.folder();
  chmodSync(folder, 0o755);
  const [path, stale] = [join(folder, 'a.sock'), join(folder, 'b.sock')];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  linkSync(path, stale);
  await new Promise((resolve) => server.close(resolve));
  return `unix:${stale}`;
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
