// A letter box. Plain Koa: nothing here knows of SCGI but the line that reads REMOTE_USER, which copes without.
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import Koa from 'koa';

const letters = [];
export const app = new Koa();

app.use(async (ctx) => {
  // True without `app.proxy`: the web server says who the client is, apart from what the client claims.
  const from = { ip: ctx.ip, secure: ctx.secure, user: ctx.scgi?.env.REMOTE_USER ?? 'nobody' };
  const route = `${ctx.method} ${ctx.path}`;
  if (route === 'GET /') {
    ctx.body = { from, letters };
  } else if (route === 'POST /letters') {
    const form = new URLSearchParams(Buffer.concat(await ctx.req.toArray()).toString());
    ctx.assert(form.get('text'), 422, 'A letter has a text.');
    letters.push({ ...from, text: form.get('text') });
    ctx.redirect('./');
    ctx.status = 303;
  } else if (route === 'PUT /checksum') {
    const hash = createHash('sha256'); // Of any size: it is never whole in memory.
    await pipeline(ctx.req, hash);
    ctx.body = { sha256: hash.digest('hex') };
  }
});
