// What passes between a real web server and an application that it runs as a CGI program: bodies of every size, answers as
// they come, clients that leave, programs that fail.

import { describe, expect } from 'vitest';
import { EventStream } from '../nginx/support/event-stream.js';
import { until, within } from '../support/deadline.js';
import { httpRequest, openRequest, type HttpRequestOptions } from '../support/http-client.js';
import { describeWebServers, test, type FollowedRequest } from './support/stage.js';

const mebibyte = 1024 * 1024;

/** 64 MiB in pieces. */
function* largeBody(): Generator<Uint8Array> {
  const piece = Buffer.alloc(mebibyte, 'b');
  for (let sent = 0; sent < 64; sent += 1) yield piece;
}
const largeLength = { 'Content-Length': `${64 * mebibyte}` };

/** Megabytes that a Node.js process which streams may have in all. */
const memoryBoundMiB = 160;

describeWebServers(
  'an application as a CGI program of',
  (scene, server) => {
    const isApache = server !== 'lighttpd';
    const at = (path: string, request?: FollowedRequest): HttpRequestOptions => ({
      origin: scene().origin,
      path: `/cgi-bin/core.cgi${path}`,
      deadlineMs: 25_000,
      ...(request !== undefined && { headers: request.headers }),
    });

    describe('bodies', () => {
      test('of 64 MiB are read in bounded memory', async () => {
        const { text } = await httpRequest({ ...at('/count'), method: 'PUT', headers: largeLength, body: largeBody() });
        const { octets, kibibytes } = JSON.parse(text);
        expect(octets).toBe(64 * mebibyte);
        expect(kibibytes / 1024).toBeLessThan(memoryBoundMiB);
      });

      test('of answers of 64 MiB are sent in bounded memory, with a client that takes its time', async () => {
        const request = scene().programs.follow();
        const { response, abort } = await openRequest(at('/blocks/1024', request));
        // Nobody reads: what the program cannot write it must not make.
        await until(() => response.readableLength > 0, 10_000, 'the begin');
        let octets = 0;
        for await (const chunk of response) octets += chunk.length;
        abort();
        expect(octets).toBe(64 * mebibyte);
        await request.noted('exit 0');
        const [, kibibytes] = /(\d+) KiB/.exec(request.notes().join()) ?? [];
        expect(Number(kibibytes) / 1024).toBeLessThan(memoryBoundMiB);
      });

      test('may be large in both directions at once, where the application declines the one it was sent', async () => {
        const body = Buffer.alloc(8 * mebibyte, 'b');
        const answer = await httpRequest({ ...at(`/whole/${8 * mebibyte}`), body });
        expect(answer.status).toBe(200);
        expect(answer.body.equals(Buffer.alloc(8 * mebibyte, 'a'))).toBe(true);
      });

      // Apache reads nothing of the answer before it has sent the whole body; what it may hold back meanwhile is bounded.
      test(`go through the application ${isApache ? 'up to a bound' : 'whatever their size'}`, async () => {
        const body = Buffer.alloc((isApache ? 1 : 64) * mebibyte, 'b');
        const answer = await httpRequest({ ...at('/echo'), body });
        expect(answer.body.equals(body)).toBe(true);
      });

      test('without a length in advance are read by lighttpd first, and refused behind Apache', async () => {
        const { status, text } = await httpRequest({
          ...at('/echo'),
          method: 'POST',
          body: [Buffer.from('in chunks')],
        });
        if (isApache) {
          expect(status).toBe(411);
          expect(text).toMatch(/^ERR_SCGI_LENGTH_REQUIRED: /);
        } else expect({ status, text }).toEqual({ status: 200, text: 'in chunks' });
      });
    });

    test('answers come as they are written', async () => {
      const request = scene().programs.follow();
      const { response, abort } = await openRequest(at('/events', request));
      const events = new EventStream(response);
      for (const event of ['1', '2', '3']) {
        expect((await events.next()).data).toBe(event);
        request.open(event);
      }
      abort();
    });

    test.each([200, 204, 304, 404, 418, 503])('the status %i arrives', async (status) => {
      const answer = await httpRequest(at(`/status/${status}`));
      expect(answer.status).toBe(status);
      expect(answer.headers['x-code']).toBe(`${status}`);
      expect(answer.text).toBe('');
    });

    test('HEAD has the head alone', async () => {
      const answer = await httpRequest({ ...at('/whole/10'), method: 'HEAD' });
      expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' });
    });

    test('the length of an answer arrives', async () => {
      const { headers } = await httpRequest(at('/whole/100000'));
      expect(headers['content-length']).toBe('100000');
    });

    describe('when the client leaves', () => {
      test('within the answer, the application hears of it and the process ends', async () => {
        const request = scene().programs.follow();
        const { response, abort } = await openRequest(at('/endless', request));
        await new Promise((resolve) => response.once('data', resolve));
        abort();
        await until(() => request.notes().some((line) => line.startsWith('exit')), 10_000, 'the end');
        const notes = request.notes();
        expect(notes.slice(0, -1).toSorted()).toEqual(['request aborted', 'request close', 'response close']);
        // Told by a signal, or by a pipe that nobody reads any more, whichever comes first.
        expect(['exit 1', 'exit 143']).toContain(notes.at(-1));
        expect(scene().log()).not.toContain('EPIPE');
      });

      test('within the body, the application hears of it and the process ends', async () => {
        const request = scene().programs.follow();
        async function* body(): AsyncGenerator<Uint8Array> {
          yield Buffer.alloc(mebibyte);
          await request.noted('arrived');
          throw new Error('the client leaves');
        }
        // lighttpd is told to pass bodies on as they come.
        const headers = { ...request.headers, 'Content-Length': `${2 * mebibyte}` };
        const asked = httpRequest({ ...at('/upload'), method: 'POST', headers, body: body() });
        asked.catch(() => {});
        await until(() => request.notes().some((line) => line.startsWith('exit')), 10_000, 'the end');
        expect(request.notes().slice(0, 3)).toEqual(['arrived', 'request aborted', 'request close']);
        await within(
          asked.catch(() => {}),
          10_000,
          'the end of the request',
        );
      });
    });

    describe('the log of the web server', () => {
      test('has what the application prints, and the answer has nothing of it', async () => {
        expect((await httpRequest(at('/print'))).text).toBe('the answer');
        await until(() => scene().log().includes('printed to the standard error'), 5_000, 'the log');
        expect(scene().log()).toContain('printed to the standard output');
      });

      test('has the error of a handler, and the client a 500', async () => {
        const request = scene().programs.follow();
        const { status, text } = await httpRequest(at('/throw', request));
        expect({ status, text }).toEqual({ status: 500, text: 'Internal Server Error\n' });
        await until(() => scene().log().includes('thrown by the handler'), 5_000, 'the log');
        await request.noted('exit 0');
      });

      test('has the error that ends the process, and the client a 500', async () => {
        const request = scene().programs.follow();
        expect((await httpRequest(at('/crash', request))).status).toBe(500);
        await until(() => scene().log().includes('thrown by nobody'), 5_000, 'the log');
        await request.noted('exit 1');
      });
    });

    test('many at once are answered, each by a process of its own', async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) => httpRequest({ ...at('/echo'), body: `${index}` })),
      );
      expect(answers.map(({ text }) => Number(text))).toEqual(answers.map((_, index) => index));
    });
  },
  { lighttpd: { streamRequest: 1 } },
);
