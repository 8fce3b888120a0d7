// Request and response bodies through lighttpd, held back and streamed: lengths, chunks, both ways at once.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { digestOf, pattern } from '../nginx/apps/pattern.js';
import { EventStream } from '../nginx/support/event-stream.js';
import { until, within } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { httpRequest, openRequest } from '../support/http-client.js';
import { mirror, test, transports } from './support/stage.js';

const size = 10_000_000;
const whole = { streamRequest: 0, streamResponse: 0 } as const;
const streamed = { streamRequest: 1, streamResponse: 1 } as const;
const bounded = { streamRequest: 2, streamResponse: 2 } as const;

describeWith('lighttpd', 'bodies through lighttpd', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([whole, streamed, bounded])(
      'of 10 MB arrive whole, up and down, with %o',
      async (modes, { stage, lighttpd }) => {
        const app = await stage.fork('streams.js', { over });
        const { origin } = await lighttpd({ to: app.address, ...modes });
        const headers = { 'Content-Length': `${size}` };
        const { text } = await httpRequest({ origin, path: '/hash', headers, body: pattern(size) });
        expect(JSON.parse(text)).toMatchObject({ size, sha256: digestOf(size) });
        for (const path of [`/bytes?size=${size}`, `/bytes?size=${size}&length`]) {
          const { body } = await httpRequest({ origin, path });
          expect(createHash('sha256').update(body).digest('hex')).toBe(digestOf(size));
        }
      },
    );

    test.for([whole, streamed, bounded])('of no bytes are complete with %o', async (modes, { stage, lighttpd }) => {
      const { address } = await stage.serve(mirror, { over });
      const { origin } = await lighttpd({ to: address, ...modes });
      const { body, headers } = JSON.parse((await httpRequest({ origin, method: 'POST', body: '' })).text);
      expect({ body, length: headers['content-length'] }).toEqual({ body: '', length: '0' });
    });

    test('an echo comes back while the request is still being sent', async ({ stage, lighttpd }) => {
      const app = await stage.fork('streams.js', { over });
      const { origin } = await lighttpd({ to: app.address, ...streamed });
      const words = ['one ', 'two ', 'three'];
      const heard: string[] = [];
      let wake = (): void => {};
      async function* body(): AsyncGenerator<Uint8Array> {
        for (const word of words) {
          yield Buffer.from(word);
          // The next word is not said before this one was heard.
          await within(new Promise<void>((resolve) => (wake = resolve)), 5_000, `the echo of "${word}"`);
        }
      }
      const headers = { 'Content-Length': `${words.join('').length}` };
      const { response } = await openRequest({ origin, path: '/echo', headers, body: body() });
      for await (const chunk of response.setEncoding('utf8')) {
        heard.push(chunk);
        wake();
      }
      expect(heard).toEqual(words);
    });

    // A front end that sends everything before it reads would stand still here.
    test.for([whole, streamed, bounded])(
      'of 10 MB both ways pass each other with %o',
      async (modes, { stage, lighttpd }) => {
        const { address } = await stage.serve((request, response) => void request.pipe(response), { over });
        const { origin } = await lighttpd({ to: address, ...modes });
        const headers = { 'Content-Length': `${size}` };
        const { body } = await httpRequest({ origin, headers, body: pattern(size) });
        expect(createHash('sha256').update(body).digest('hex')).toBe(digestOf(size));
      },
    );

    test('that stream reach the application as they come, or only when whole', async ({ stage, lighttpd }) => {
      const app = await stage.serve(mirror, { over });
      const send = async (port: number): Promise<(rest: string) => Promise<string>> => {
        const socket = connect(port, '127.0.0.1');
        stage.add(() => socket.destroy());
        socket.write('POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\nabc');
        await within(once(socket, 'connect'), 5_000, 'the connection');
        return async (rest) => {
          socket.write(rest);
          return (await within(socket.toArray(), 5_000, 'the answer')).join('');
        };
      };
      const streaming = await send((await lighttpd({ to: app.address, streamRequest: 1 })).port);
      await until(() => app.server.connectionCount === 1, 5_000, 'half a request at the application');
      expect(await streaming('def')).toContain('"body":"abcdef"');
      const holding = await lighttpd({ to: app.address, streamRequest: 0 });
      const finish = await send(holding.port);
      // The answer to a later request shows that lighttpd has seen the half and kept it.
      await httpRequest({ origin: holding.origin });
      await until(() => app.server.connectionCount === 0, 5_000, 'the end of the later request');
      expect(await finish('def')).toContain('"body":"abcdef"');
    });
  });
});

describeWith('lighttpd', 'a body in chunks through lighttpd', () => {
  const send = async (port: number, stop: Promise<void>): Promise<string> => {
    const socket = connect(port, '127.0.0.1').setNoDelay();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    const answer = within(socket.toArray(), 5_000, 'the answer');
    await Promise.race([stop, answer]);
    if (!socket.destroyed) socket.write('3\r\ndef\r\n0\r\nX-Trailer: lost\r\n\r\n');
    return (await answer).join('');
  };

  test.for(transports)('is counted first, and has a length over %s', async (over, { stage, lighttpd }) => {
    const { address } = await stage.serve(mirror, { over });
    const { port } = await lighttpd({ to: address });
    const answer = await send(port, Promise.resolve());
    const { body, headers } = JSON.parse(answer.split('\r\n\r\n')[1] ?? '');
    expect({ body, headers }).toEqual({ body: 'abcdef', headers: { host: 'a', 'content-length': '6' } });
  });

  test.for([1, 2] as const)(
    'is refused with 411 if lighttpd is told to stream requests (%i) and it is not whole at once',
    async (streamRequest, { stage, lighttpd }) => {
      const { address } = await stage.serve(() => expect.unreachable());
      const { port } = await lighttpd({ to: address, streamRequest });
      expect(await send(port, new Promise(() => {}))).toMatch(/^HTTP\/1\.1 411 Length Required\r\n/);
    },
  );
});

describeWith('lighttpd', 'events through lighttpd', () => {
  describe.each(transports)('over %s', (over) => {
    test.for([1, 2] as const)(
      'arrive one by one with streamResponse %i',
      async (streamResponse, { stage, lighttpd }) => {
        const app = await stage.fork('streams.js', { over });
        const { origin } = await lighttpd({ to: app.address, streamResponse });
        const { response, abort } = await openRequest({ origin, path: '/events' });
        // A word to nginx: lighttpd lets it through, and nobody minds.
        expect(response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
        const events = new EventStream(response);
        for (const text of ['one', 'two', 'three']) {
          await app.ask('emit', text);
          expect(await events.next()).toMatchObject({ data: text });
        }
        abort();
        // lighttpd says nothing by itself: the next events find out.
        const heartbeat = async (): Promise<boolean> => (
          await app.ask('emit', 'heartbeat'),
          (await app.ask('listeners')) === 0
        );
        await until(heartbeat, 1_000, 'the application knowing that the client has left');
      },
    );
  });

  test('are all held back until the end with lighttpd’s own setting, and no field of ours changes that', async ({
    stage,
    lighttpd,
  }) => {
    let end = (): void => {};
    let sent = false;
    const { address } = await stage.serve((request, response) => {
      if (request.url !== '/events') return response.end('other');
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      end = () => void response.end('data: two\n\n');
      return response.write('data: one\n\n', () => (sent = true));
    });
    const { port, origin } = await lighttpd({ to: address, streamResponse: 0 });
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    let received = '';
    socket.on('data', (text) => (received += text));
    socket.write('GET /events HTTP/1.0\r\n\r\n');
    await until(() => sent, 5_000, 'the first event on its way');
    // By the answer to a later request lighttpd has had its chance to pass the event on.
    expect((await httpRequest({ origin })).text).toBe('other');
    expect(received).toBe('');
    end();
    await within(once(socket, 'close'), 5_000, 'the answer');
    expect(received).toMatch(/Content-Length: 22\r\n[^]*data: one\n\ndata: two\n\n$/);
  });
});
