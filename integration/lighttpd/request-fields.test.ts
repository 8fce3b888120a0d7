// What lighttpd's mod_scgi makes of header fields and of the connection: names, values, lengths, addresses, credentials.

import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect } from 'vitest';
import { within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, rawExchange } from '../support/http-client.js';
import { ask, answerTo } from './support/ask.js';
import { mirror, test, transports } from './support/stage.js';

describeWith('lighttpd', 'the fields behind lighttpd', () => {
  describe.each(transports)('over %s', (over) => {
    test('reach the application: repeated ones joined, Host in lower case, octets as they were', async ({
      stage,
      lighttpd,
    }) => {
      const { address } = await stage.serve(mirror, { over });
      const { headers } = await ask(await lighttpd({ to: address }), 'GET / HTTP/1.1', [
        'Host: A.Example:81',
        'X-Twice: 1',
        'Cookie: a=1',
        'X-Twice: 2',
        'Cookie: b=2; c=3',
        'X-Latin: caf\xe9',
        'X-Blanks:   in  side \t ',
        'Accept: */*',
      ]);
      expect(headers).toEqual({
        host: 'a.example:81',
        'x-twice': '1, 2',
        cookie: 'a=1; b=2; c=3',
        'x-latin': 'caf\xe9',
        'x-blanks': 'in  side',
        accept: '*/*',
      });
    });
  });

  test('hold what a client may say about itself, and Authorization', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const claims = ['Authorization: Basic dXNlcjpwYXNz', 'X-Forwarded-For: 198.51.100.66', 'X-Forwarded-Proto: https'];
    const { headers, socket, env } = await ask(await lighttpd({ to: address }), 'GET / HTTP/1.1', claims);
    expect(headers).toMatchObject({ authorization: 'Basic dXNlcjpwYXNz', 'x-forwarded-for': '198.51.100.66' });
    expect(socket).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' });
    expect(socket).not.toHaveProperty('encrypted');
    expect(env).not.toHaveProperty('REMOTE_USER');
  });

  test('do not hold a field without a value, which lighttpd drops', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const { headers } = await ask(await lighttpd({ to: address }), 'GET / HTTP/1.1', ['X-Empty:', 'X-Full: 1']);
    expect(headers).toEqual({ host: 'a.example', 'x-full': '1' });
  });

  // 1.4.69; 1.4.85 refuses a request in which two names become one.
  test('cannot tell X_Name, X.Name and X-Name apart: all are joined', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const fields = ['X_Name: underscore', 'X-Name: dash', 'X.Name: dot'];
    const { headers, env } = await ask(await lighttpd({ to: address }), 'GET / HTTP/1.1', fields);
    expect(headers['x-name']).toBe('underscore, dash, dot');
    expect(env.HTTP_X_NAME).toBe('underscore, dash, dot');
  });

  test('of the connection stay outside, and Expect is met by lighttpd', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const { port } = await lighttpd({ to: address });
    const fields = 'Keep-Alive: timeout=5\r\nTE: trailers\r\nProxy: http://evil.test\r\nExpect: 100-continue\r\n';
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\n${fields}Content-Length: 2\r\n\r\n`);
    const [interim] = await within(once(socket, 'data'), 5_000, 'leave to go on');
    expect(interim).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('hi');
    const answer = (await within(socket.toArray(), 5_000, 'the answer')).join('');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const { headers, env } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
    expect(headers).toEqual({ host: 'a', 'content-length': '2' });
    expect(env).not.toHaveProperty('HTTP_PROXY');
  });
});

// lighttpd 1.4.69 makes HTTP_CONTENT_LENGTH of it, beside the true one.
describeWith('lighttpd', 'a field Content_Length: 9999 behind lighttpd', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([
      ['before the true one', ['Content_Length: 9999', 'Content-Length: 2']],
      ['after the true one', ['Content-Length: 2', 'Content_Length: 9999']],
    ] as const)('%s does not become the length', async ([, fields], { stage, lighttpd }) => {
      const { address } = await stage.serve(mirror, { over });
      for (const streamRequest of [0, 1] as const) {
        const server = await lighttpd({ to: address, streamRequest });
        const { headers, body } = await ask(server, 'POST / HTTP/1.1', fields, 'hi');
        expect({ headers, body }).toEqual({ headers: { host: 'a.example', 'content-length': '2' }, body: 'hi' });
      }
    });

    test.for(['GET', 'PUT'])(
      'of a %s without a body is no length and no field',
      async (method, { stage, lighttpd }) => {
        const { address } = await stage.serve(mirror, { over });
        const server = await lighttpd({ to: address });
        const { headers, body } = await ask(server, `${method} / HTTP/1.1`, ['Content_Length: 9999']);
        expect({ headers, body }).toEqual({ headers: { host: 'a.example' }, body: '' });
      },
    );
  });

  test('and its like for type and coding are no fields either', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const fields = ['Content_Type: text/evil', 'Transfer_Encoding: chunked', 'Content-Type: text/plain'];
    const { headers, body } = await ask(
      await lighttpd({ to: address }),
      'POST / HTTP/1.1',
      [...fields, 'Content-Length: 2'],
      'hi',
    );
    expect(headers).toEqual({ host: 'a.example', 'content-type': 'text/plain', 'content-length': '2' });
    expect(body).toBe('hi');
  });
});

describeWith('lighttpd', 'the connection behind lighttpd', () => {
  test('of an HTTP/1.0 client without Host', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const { port } = await lighttpd({ to: address });
    const answer = (await rawExchange(`127.0.0.1:${port}`, 'GET /x HTTP/1.0\r\n\r\n')).toString();
    const { httpVersion, headers } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
    expect({ httpVersion, headers }).toEqual({ httpVersion: '1.0', headers: {} });
  });

  test('of an IPv6 client has addresses without brackets, whatever SERVER_ADDR has', async ({
    stage,
    lighttpd,
    skip,
  }) => {
    const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
    if (!addresses.some(({ address }) => address === '::1')) skip('this machine has no ::1');
    const { address } = await stage.serve(mirror);
    // A port that this process holds on 127.0.0.1, so that nobody takes it on ::1 meanwhile.
    const port = Number(/\d+$/.exec((await stage.serve(mirror, { over: 'tcp' })).address)?.[0]);
    await lighttpd({ to: address, directives: [`$SERVER["socket"] == "[::1]:${port}" { }`] });
    const { text } = await httpRequest({ origin: `http://[::1]:${port}` });
    const { socket, env, headers } = JSON.parse(text);
    expect(socket).toMatchObject({ remoteAddress: '::1', localAddress: '::1', localPort: port });
    expect(env).toMatchObject({ REMOTE_ADDR: '::1', SERVER_ADDR: '[::1]' });
    expect(headers.host).toBe(`[::1]:${port}`);
  });

  test('tells its own port, whatever Host says, and the name of the server', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const server = await lighttpd({ to: address, directives: ['server.name = "www.example"'] });
    const { socket, env } = await ask(server, 'GET / HTTP/1.1', ['Host: evil.test:1']);
    expect(socket.localPort).toBe(server.port);
    expect(env).toMatchObject({ SERVER_NAME: 'www.example', SERVER_PORT: `${server.port}`, HTTP_HOST: 'evil.test:1' });
  });

  test('shows the user that lighttpd has let in, and no other', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const setenv = ['server.modules += ( "mod_setenv" )', 'setenv.add-environment = ( "REMOTE_USER" => "ada" )'];
    const server = await lighttpd({ to: address, directives: setenv });
    const { env, headers } = await ask(server, 'GET / HTTP/1.1', ['Remote-User: eve', 'Remote_User: eve']);
    expect(env).toMatchObject({ REMOTE_USER: 'ada', HTTP_REMOTE_USER: 'eve, eve' });
    expect(headers['remote-user']).toBe('eve, eve');
  });

  test('may come through a lighttpd that hides its version', async ({ stage, lighttpd }) => {
    const { address } = await stage.serve(mirror);
    const server = await lighttpd({ to: address, directives: ['server.tag = "web"'] });
    expect((await ask(server, 'GET / HTTP/1.1')).env.SERVER_SOFTWARE).toBe('web');
    expect((await answerTo(server, 'GET / HTTP/1.1')).head).toContain('\r\nServer: web');
  });
});
