// HTTPS, HTTP/2 and upgrades in front of lighttpd: what the application sees of them.

import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect } from 'vitest';
import { createCertificate } from '../nginx/support/certificate.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest } from '../support/http-client.js';
import { requireLighttpdTls } from '../support/lighttpd.js';
import { mirror, test, transports, type Mirrored, type Stage } from './support/stage.js';

describeWith(['lighttpd', 'openssl'], 'TLS in lighttpd', () => {
  test.for(transports)('makes the connection encrypted, over %s', async (over, { stage, lighttpd, skip }) => {
    requireLighttpdTls({ skip });
    const { address } = await stage.serve(mirror, { over });
    const { origin, tlsOrigin, tlsPort } = await lighttpd({ to: address, tls: createCertificate(stage.folder()) });
    const { socket, env }: Mirrored = JSON.parse((await httpRequest({ origin: tlsOrigin })).text);
    expect(socket).toMatchObject({ encrypted: true, localPort: tlsPort, remoteAddress: '127.0.0.1' });
    expect(env).toMatchObject({ HTTPS: 'on', REQUEST_SCHEME: 'https', SSL_PROTOCOL: 'TLSv1.3' });
    const plain: Mirrored = JSON.parse((await httpRequest({ origin })).text);
    expect(plain.socket).not.toHaveProperty('encrypted');
    expect(plain.env).not.toHaveProperty('HTTPS');
  });
});

describeWith(['lighttpd', 'openssl'], 'HTTP/2 in lighttpd', () => {
  describe.each(transports)('over %s', (over) => {
    test('shows as HTTP/1.1, with the authority as Host and cookies joined', async ({ stage, lighttpd, skip }) => {
      requireLighttpdTls({ skip });
      const { address } = await stage.serve(mirror, { over });
      const session = open(stage, await lighttpd({ to: address, tls: createCertificate(stage.folder()) }));
      const { status, body } = await exchange(session, {
        ':path': '/a%2Fb?c',
        ':authority': 'a.example',
        cookie: ['a=1', 'b=2'],
        'x-name': 'value',
      });
      expect(status).toBe(200);
      const { httpVersion, url, headers, env, socket }: Mirrored = JSON.parse(body);
      expect({ httpVersion, url, headers }).toEqual({
        httpVersion: '1.1',
        url: '/a%2Fb?c',
        headers: { host: 'a.example', cookie: 'a=1; b=2', 'x-name': 'value' },
      });
      expect(env.SERVER_PROTOCOL).toBe('HTTP/2.0');
      expect(socket.encrypted).toBe(true);
    });

    test('carries several requests at once, and their bodies', async ({ stage, lighttpd, skip }) => {
      requireLighttpdTls({ skip });
      const { address } = await stage.serve(mirror, { over });
      const session = open(stage, await lighttpd({ to: address, tls: createCertificate(stage.folder()) }));
      const requests = Array.from({ length: 6 }, (_, at) => {
        const body = `body ${at} `.repeat(10_000);
        return exchange(session, { ':method': 'POST', ':path': `/${at}`, 'content-length': `${body.length}` }, body);
      });
      const answers = (await Promise.all(requests)).map(({ body }): Mirrored => JSON.parse(body));
      expect(answers.map(({ url, body }) => `${url} ${body}`)).toEqual(
        answers.map((_, at) => `/${at} ${`body ${at} `.repeat(10_000)}`),
      );
    });

    // 1.4.69 wants a length for every upload over HTTP/2, although it counts chunks over HTTP/1.1.
    test('refuses a body without a length', async ({ stage, lighttpd, skip }) => {
      requireLighttpdTls({ skip });
      const { address } = await stage.serve(() => expect.unreachable(), { over });
      const session = open(stage, await lighttpd({ to: address, tls: createCertificate(stage.folder()) }));
      const { status } = await exchange(session, { ':method': 'POST', ':path': '/' }, 'body');
      expect(status).toBe(411);
    });

    test('tells of a stream that the client has reset', async ({ stage, lighttpd, skip }) => {
      requireLighttpdTls({ skip });
      let left = false;
      let begun = false;
      const app = await stage.serve(
        (request, response) => {
          if (request.url === '/first') {
            response.end();
            return;
          }
          response.write('half');
          response.once('close', () => (left = true));
          begun = true;
        },
        { over },
      );
      const session = open(stage, await lighttpd({ to: app.address, tls: createCertificate(stage.folder()) }));
      // lighttpd 1.4.69 does not act on a reset of the very first stream, if it comes at once and the application listens
      // on a Unix socket, until there is something to send on it. Of later streams it does.
      await exchange(session, { ':path': '/first' });
      const stream = session.request({ ':path': '/' });
      stream.on('error', () => {});
      await within(once(stream, 'data'), 5_000, 'the beginning of the body');
      expect(begun).toBe(true);
      stream.close(8); // CANCEL, as a browser does it.
      await until(() => left, 1_000, 'the application knowing that the client has left');
    });
  });
});

describeWith('lighttpd', 'an upgrade through lighttpd', () => {
  const handshake = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Version': '13',
  };

  // lighttpd before 1.4.74 never lets a 101 out: the client would wait for ever.
  describe.each(transports)('over %s', (over) => {
    test('is an ordinary request, although the application could switch', async ({ stage, lighttpd }) => {
      const app = await stage.serve(mirror, { over });
      app.server.on('upgrade', (_request, socket: Socket) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      });
      const { origin } = await lighttpd({ to: app.address });
      const { status, text } = await httpRequest({ origin, headers: handshake });
      const { headers, env }: Mirrored = JSON.parse(text);
      expect(env.SERVER_SOFTWARE).toMatch(/^lighttpd\/1\.4\./);
      expect({ status, version: headers['sec-websocket-version'] }).toEqual({ status: 200, version: '13' });
      expect(headers).not.toHaveProperty('upgrade');
    });
  });
});

interface TlsServer {
  readonly tlsOrigin: string;
}

function open(stage: Stage, { tlsOrigin }: TlsServer): ClientHttp2Session {
  const session = connectHttp2(tlsOrigin, { rejectUnauthorized: false });
  session.on('error', () => {}); // Each stream tells its own failure.
  stage.add(() => session.destroy());
  return session;
}

async function exchange(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | string[]>>,
  requestBody = '',
): Promise<{ status: unknown; body: string }> {
  const stream = session.request(headers, { endStream: requestBody === '' });
  if (requestBody !== '') stream.end(requestBody);
  let status: unknown;
  stream.once('response', (fields) => (status = fields[':status']));
  const chunks = await within(stream.setEncoding('utf8').toArray(), 10_000, 'the answer');
  return { status, body: chunks.join('') };
}
