// Other ways into mod_proxy_scgi, and other modules of Apache on the way of a response.

import { expect } from 'vitest';
import { createCertificate } from '../nginx/support/certificate.js';
import { EventStream } from '../nginx/support/event-stream.js';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { mirror, seenBy } from './support/mirror.js';
import { test, transports } from './support/stage.js';

describeWith('apache', 'SetHandler instead of ProxyPass', () => {
  test.for(transports)('gives the application the same target over %s', async (over, { stage }) => {
    const { address } = await stage.serve(mirror, { over, basePath: '/app' });
    const target = over === 'tcp' ? `scgi://${address}/` : `${address}|scgi://localhost/`;
    const { origin } = await stage.apache({
      path: '/elsewhere/',
      to: address,
      serverDirectives: ['<Location "/app">', `SetHandler "proxy:${target}"`, 'CGIPassAuth On', '</Location>'],
    });
    const seen = await seenBy({ origin, path: '/app/a%20b//c/d?q', headers: { Authorization: 'Bearer t' } });
    expect(seen).toMatchObject({ url: '/a%20b//c/d?q', originalUrl: '/app/a%20b//c/d?q' });
    expect(seen.headers['authorization']).toBe('Bearer t');
  });
});

describeWith('apache', 'the variable proxy-scgi-pathinfo', () => {
  test.for(['/app/x%20y/%C3%A9?q', '/app/a%2Fb', '/app/'])(
    'does not change what is seen of %s',
    async (path, { stage }) => {
      const { address } = await stage.serve(mirror, { basePath: '/app' });
      const serverDirectives = ['SetEnvIf Request_URI . proxy-scgi-pathinfo=1'];
      const { origin } = await stage.apache({ path: '/app/', to: address, serverDirectives });
      const seen = await seenBy({ origin, path });
      expect(seen.url).toBe(path.slice('/app'.length));
      expect(seen.env).toHaveProperty('PATH_INFO');
    },
  );
});

describeWith(['apache', 'openssl'], 'SSLOptions +StdEnvVars', () => {
  test('sends the facts about the TLS connection', async ({ stage }) => {
    const { address } = await stage.serve(mirror);
    const tls = createCertificate(stage.folder());
    const { tlsOrigin } = await stage.apache({ to: address, tls, directives: ['SSLOptions +StdEnvVars'] });
    const { env } = await seenBy({ origin: tlsOrigin, headers: { SSL_Protocol: 'forged', 'SSL-Protocol': 'forged' } });
    expect(env['SSL_PROTOCOL']).toMatch(/^TLSv1\.[23]$/);
    expect(env['SSL_CLIENT_VERIFY']).toBe('NONE');
  });
});

describeWith('apache', 'mod_deflate', () => {
  // By type, as Debian configures it. SetOutputFilter DEFLATE holds event streams back, with no-gzip too.
  const compressing = { modules: ['filter', 'deflate'], directives: ['AddOutputFilterByType DEFLATE text/plain'] };

  test('compresses what the application left plain, and takes the length away', async ({ stage }) => {
    const text = 'many words '.repeat(1_000);
    const { address } = await stage.serve((_, response) => {
      response.setHeader('Content-Type', 'text/plain').setHeader('Content-Length', text.length).end(text);
    });
    const { origin } = await stage.apache({ to: address, ...compressing });
    const packed = await httpRequest({ origin, headers: { 'Accept-Encoding': 'gzip' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.body.length).toBeLessThan(1_000);
    const plain = await httpRequest({ origin });
    expect(plain).toMatchObject({ text, headers: { 'content-length': `${text.length}` } });
  });

  test('lets events through one by one, whose type it was not told', async ({ stage }) => {
    let write: (text: string) => void = () => {};
    let closed = false;
    const { address } = await stage.serve((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      response.once('close', () => (closed = true));
      write = (text) => void response.write(text);
    });
    const { origin } = await stage.apache({ to: address, ...compressing });
    const { response, abort } = await openRequest({ origin, headers: { 'Accept-Encoding': 'gzip' } });
    expect(response.headers).not.toHaveProperty('content-encoding');
    const events = new EventStream(response);
    for (const text of ['one', 'two']) {
      write(`data: ${text}\n\n`);
      expect((await events.next()).data).toBe(text);
    }
    abort();
    await until(() => (write(': still there?\n\n'), closed), 1_000, 'the end');
  });
});
