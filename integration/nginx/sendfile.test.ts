// Files that the application names and nginx sends: X-Accel-Redirect, by the block of the documentation.

import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { fencesOf } from '../package-check/markdown.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, type HttpResponse } from '../support/http-client.js';
import { stockParams } from '../support/nginx-config.js';
import { test, type Stage } from './support/stage.js';

const block = fencesOf('nginx', 'docs/deployment-nginx.md').find(({ code }) => code.includes('internal;'))?.code ?? '';
const text = 'The quarterly report of 2026.\n';

const application: RequestListener = (request, response) => {
  if (request.headers['x-user'] !== 'ada') {
    response.writeHead(403).end();
    return;
  }
  response.setHeader('Content-Type', 'text/x-report');
  response.setHeader('Set-Cookie', ['seen=1', 'by=ada']);
  response.setHeader('X-Accel-Redirect', `/protected/${encodeURIComponent('report 1 é.txt')}`);
  response.end('this body is not sent');
};

async function start(stage: Stage): Promise<(options?: object) => Promise<HttpResponse>> {
  const files = join(stage.folder(), 'files');
  mkdirSync(files);
  writeFileSync(join(files, 'report 1 é.txt'), text);
  const { address } = await stage.serve(application);
  const directives = block
    .replace('/srv/files/', `${files}/`)
    .replace(/include\s+scgi_params;/, `include ${stockParams()};`)
    .replace(/unix:\/run\/app\/app\.sock/, address);
  const { origin } = await stage.nginx({ locations: [], serverDirectives: [directives] });
  return (options = {}) => httpRequest({ origin, path: '/report', headers: { 'X-User': 'ada' }, ...options });
}

describeWith('nginx', 'X-Accel-Redirect', () => {
  describe('by the documented block', () => {
    test('sends the file with the fields of the application', async ({ stage }) => {
      const answer = await (await start(stage))();
      expect(answer).toMatchObject({ status: 200, text });
      expect(answer.headers).toMatchObject({ 'content-type': 'text/x-report', 'set-cookie': ['seen=1', 'by=ada'] });
      expect(answer.headers).not.toHaveProperty('x-accel-redirect');
    });

    test('sends a range of it', async ({ stage }) => {
      const answer = await (await start(stage))({ headers: { 'X-User': 'ada', Range: 'bytes=4-12' } });
      expect(answer).toMatchObject({ status: 206, text: text.slice(4, 13) });
    });

    test('leaves the decision to the application', async ({ stage }) => {
      expect(await (await start(stage))({ headers: {} })).toMatchObject({ status: 403 });
    });

    test('keeps clients away from the folder', async ({ stage }) => {
      const path = `/protected/${encodeURIComponent('report 1 é.txt')}`;
      expect(await (await start(stage))({ path })).toMatchObject({ status: 404 });
    });
  });
});
