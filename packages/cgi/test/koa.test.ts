// Programs in Koa, below a mount that only Koa's context tells of.

import { createServer } from 'node:http';
import { once } from 'node:events';
import Koa from 'koa';
import { expect, onTestFinished, test } from 'vitest';
import { cgiDirectory } from '../src/index.js';
import { writePrograms } from './support/programs.js';

test("a program below a mount of Koa's sees the mount in SCRIPT_NAME", async () => {
  const echo = `printf 'Content-Type: text/plain\\r\\n\\r\\n'; echo "$SCRIPT_NAME $PATH_INFO $REQUEST_URI"`;
  const { koa } = cgiDirectory(writePrograms({ a: echo }));
  const app = new Koa();
  // As koa-mount: the path is cut, `ctx.originalUrl` stays.
  app.use((ctx, next) => {
    ctx.path = ctx.path.slice('/mounted'.length);
    return koa(ctx, next);
  });
  const server = createServer(app.callback()).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const response = await fetch(`http://127.0.0.1:${port}/mounted/a/x?q=1`);
  expect(await response.text()).toBe('/mounted/a /x /mounted/a/x?q=1\n');
});
