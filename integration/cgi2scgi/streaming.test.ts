// Bodies in both directions at once, at the pace of the slower side and in little memory; and what happens when one side
// leaves.

import {
  answerBytes,
  end,
  gate,
  mockBackend,
  receive,
  receiveHead,
  send,
  sendRepeatedly,
  stall,
  type MockBackend,
  type MockBackendOptions,
  type Script,
} from '@scgi/testing';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { until, within } from '../support/deadline.js';
import { duplexServer } from './support/duplex-server.js';
import { post, start, type RunningProgram } from './support/program.js';
import { describeVariants } from './support/variants.js';

const MiB = 1 << 20;
const size = 64 * MiB;
const block = Buffer.alloc(MiB, 'x');
/** What pipes, sockets and buffers on the way may hold, all of them. */
const inBetween = 4 * MiB;
/** The largest resident size: of Node.js itself about 60 MiB, of Perl 10, of the program in C 2. */
const memoryLimits = { 'Node.js': 110 * MiB, Perl: 16 * MiB, C: 4 * MiB } as const;

describeVariants('bodies through cgi2scgi', (variant) => {
  test('go up, 64 MiB of them, in little memory', async () => {
    const backend = await mock([receive(), gate('end'), send(answerBytes({ body: 'ok' })), end()]);
    const program = start(variant, backend.target, { env: ofLength(size), keepOpen: true });
    await upload(program, size);
    const connection = await backend.connection();
    await connection.request();
    expect(connection.bodyBytes).toBe(size);
    expect(peakMemory(program)).toBeLessThan(memoryLimits[variant.name]);
    backend.openGate('end');
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
  });

  test('come down, 64 MiB of them, in little memory', async () => {
    const script = [receive(), send(answerBytes({ contentLength: size })), sendRepeatedly(block, 64), gate('end')];
    const backend = await mock(script);
    const program = start(variant, backend.target);
    await until(() => program.bytesOut >= size, 20_000, 'the whole body');
    expect(peakMemory(program)).toBeLessThan(memoryLimits[variant.name]);
    backend.openGate('end');
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
    expect(program.bytesOut).toBe(size + answerBytes({ contentLength: size }).length);
  });

  test('are not taken in faster than the server reads', async () => {
    const backend = await mock([receiveHead(), gate('read'), receive(), send(answerBytes({ body: 'ok' })), end()]);
    const program = start(variant, backend.target, { env: ofLength(size), keepOpen: true });
    let sent = 0;
    const uploaded = upload(program, size, (bytes) => (sent = bytes));
    await backend.atGate('read');
    await standstill(() => sent);
    expect(sent).toBeLessThan(inBetween);
    backend.openGate('read');
    await uploaded;
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
    expect((await backend.connection()).bodyBytes).toBe(size);
  });

  test('are not fetched faster than the web server reads', async () => {
    const script = [
      receive(),
      send(answerBytes({ contentLength: size })),
      sendRepeatedly(block.subarray(0, 16_384), 4096),
    ];
    const backend = await mock([...script, end()]);
    const program = start(variant, backend.target, { unread: true });
    const connection = await backend.connection();
    await standstill(() => connection.bytesSent);
    expect(connection.bytesSent).toBeLessThan(inBetween);
    program.readOutput();
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
    expect(program.bytesOut).toBe(connection.bytesSent);
  });

  test('go both ways at once, and come out as they went in', async () => {
    const target = await duplexServer((socket) => {
      socket.write('Status: 200\r\n\r\n');
      return (chunk) => socket.write(chunk);
    });
    const program = start(variant, target, { env: ofLength(size), keepOpen: true });
    await upload(program, size);
    const { code, errors, output } = await program.ended();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const body = output.slice(output.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBe(size);
    expect(body === 'x'.repeat(size)).toBe(true);
  });

  test('do not block each other where the web server sends all before it reads', async () => {
    // As Apache's mod_cgi and mod_cgid. The answer is there first, and more than any pipe takes.
    const early = Buffer.alloc(2 * MiB, 'a');
    const target = await duplexServer((socket) => {
      socket.write('Status: 200\r\n\r\n');
      socket.write(early);
      return () => true;
    });
    const program = start(variant, target, { env: ofLength(16 * MiB), keepOpen: true, unread: true });
    await upload(program, 16 * MiB);
    program.readOutput();
    const { code, errors } = await program.ended();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(program.bytesOut).toBe('Status: 200\r\n\r\n'.length + early.length);
  });

  test('that nobody wants are taken all the same, so that the answer arrives: the input may be its socket', async () => {
    const bytes = answerBytes({ status: 413, body: 'too large' });
    const backend = await mock([receiveHead(), send(bytes), end()]);
    const program = start(variant, backend.target, { env: ofLength(size), keepOpen: true });
    await program.sees('too large');
    await upload(program, size);
    expect(await program.ended()).toMatchObject({ code: 0, output: bytes.toString(), errors: '' });
  });

  test('that nobody can have are taken all the same', async () => {
    const program = start(variant, 'unix:/nowhere/app.sock --retry-for=0', { env: ofLength(size), keepOpen: true });
    await program.sees('502 Bad Gateway\n');
    await upload(program, size);
    expect(await program.ended()).toMatchObject({ code: 1 });
  });

  test('arrive piece by piece, as events do', async () => {
    const texts = ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'];
    const steps = texts.flatMap((text) => [gate(text), send(text)]);
    const backend = await mock([receive(), send('Content-Type: text/event-stream\r\n\r\n'), ...steps, end()]);
    const program = start(variant, backend.target);
    await program.sees('text/event-stream\r\n\r\n');
    for (const text of texts) {
      expect(program.output).not.toContain(text);
      backend.openGate(text);
      await program.sees(text);
    }
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
  });

  test('go up piece by piece, and are answered meanwhile', async () => {
    const target = await duplexServer((socket) => {
      socket.write('Status: 200\r\n\r\n');
      return (chunk) => socket.write(chunk);
    });
    const program = start(variant, target, { env: ofLength(6), keepOpen: true });
    for (const text of ['one', 'two']) {
      program.input.write(text);
      await program.sees(text);
    }
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
  });
});

describeVariants('leaving', (variant) => {
  test.each(['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGKILL'] as const)(
    'by %s ends the connection, in silence',
    async (signal) => {
      const backend = await mock([receive(), send('Status: 200\r\n\r\n'), stall()]);
      const program = start(variant, backend.target);
      await program.sees('Status: 200');
      program.child.kill(signal);
      expect(await program.ended()).toMatchObject({ code: null, signal, errors: '' });
      expect(await (await backend.connection()).closed()).toMatchObject({ by: 'fin' });
    },
  );

  test('of the web server while the answer is copied ends the connection, in silence', async () => {
    const backend = await mock([receive(), send('Status: 200\r\n\r\n'), sendRepeatedly(block, 10_000)]);
    const program = start(variant, backend.target);
    await program.sees('xxx');
    program.closeOutput();
    expect(await program.ended()).toMatchObject({ code: 1, errors: '' });
    await (await backend.connection()).closed();
  });

  // Node.js and Perl cannot ask that of a socket: they hear of it when they write, or by a signal.
  if (variant.watchesOutput) {
    test('of the web server while nothing happens ends the connection, in silence', async () => {
      const backend = await mock([receive(), stall()]);
      const program = start(variant, backend.target);
      await (await backend.connection()).request();
      program.closeOutput();
      expect(await program.ended()).toMatchObject({ code: 1, errors: '' });
      expect(await (await backend.connection()).closed()).toMatchObject({ by: 'fin' });
    });
  }

  test('of the client while it sends shows to the server as an end inside the request', async () => {
    const backend = await mock(receive());
    const program = start(variant, backend.target, { env: ofLength(10), keepOpen: true });
    program.input.write('abc');
    const connection = await backend.connection();
    await until(() => connection.bodyBytes === 3, 10_000, 'the beginning of the body');
    program.input.end();
    const { code, output, errors } = await program.ended();
    expect({ code, output: output.slice(0, 23) }).toEqual({ code: 1, output: 'Status: 400 Bad Request' });
    expect(errors).toBe('cgi2scgi: ERR_SCGI_PREMATURE_EOF: the peer closed the connection inside a request\n');
    await connection.closed();
    expect(connection.complete).toBe(false);
  });

  test('of the client while it sends breaks off an answer that has begun', async () => {
    const backend = await mock([receiveHead(), send('Status: 200\r\n\r\npart'), receive()]);
    const program = start(variant, backend.target, { env: ofLength(10), keepOpen: true });
    program.input.write('abc');
    await program.sees('part');
    program.input.end();
    const { code, output, errors } = await program.ended();
    expect({ code, output }).toEqual({ code: 1, output: 'Status: 200\r\n\r\npart' });
    expect(errors).toContain('ERR_SCGI_PREMATURE_EOF');
  });
});

function mock(script: Script, options: MockBackendOptions = {}): Promise<MockBackend> {
  const backend = mockBackend(script, { maxRecordedBody: 0, timeout: 20_000, ...options });
  onTestFinished(async () => (await backend).close());
  return backend;
}

function ofLength(length: number): Readonly<Record<string, string>> {
  return { ...post(''), CONTENT_LENGTH: String(length) };
}

/** Writes a body at the pace at which the program reads it. */
async function upload(
  program: RunningProgram,
  length: number,
  onProgress = (_bytes: number): void => {},
): Promise<void> {
  const { input } = program;
  for (let sent = 0; sent < length; sent += MiB) {
    if (!input.write(block.subarray(0, Math.min(MiB, length - sent)))) {
      await within(once(input, 'drain'), 20_000, `the program reading on behind ${sent} bytes`);
    }
    onProgress(sent + MiB);
  }
  input.end();
}

/** Resolves when the value has not changed for a while. */
async function standstill(value: () => number): Promise<void> {
  let last = -1;
  let same = 0;
  await until(
    () => {
      const now = value();
      same = now === last ? same + 1 : 0;
      last = now;
      return same > 30;
    },
    20_000,
    'a standstill',
  );
}

/** Bytes. */
function peakMemory(program: RunningProgram): number {
  const [, kibibytes = '0'] =
    /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${program.child.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}
