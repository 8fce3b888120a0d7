// Every wait of cgi2scgi has an end, and says whose silence it was.

import {
  answerBytes,
  gate,
  mockBackend,
  neverAccept,
  receive,
  receiveHead,
  send,
  sendRepeatedly,
  end,
  stall,
  stallDeaf,
  type MockBackend,
  type MockBackendOptions,
} from '@scgi/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { post, run, start } from './support/program.js';
import { describeVariants } from './support/variants.js';

type Behaviour = Parameters<typeof mockBackend>[0];

describeVariants('the deadlines', (variant) => {
  test('end a connection that is never accepted', async () => {
    const { target } = await mock(neverAccept(), { transport: 'tcp' });
    const { code, output, errors } = await run(variant, `${target} --connect-timeout=200`);
    expect({ code, output: output.slice(0, 27) }).toEqual({ code: 1, output: 'Status: 504 Gateway Timeout' });
    expect(errors).toBe(
      `cgi2scgi: ERR_SCGI_BACKEND_TIMEOUT: the SCGI backend did not answer in time (backend "${target}", awaited "connect")\n`,
    );
  });

  test('end the wait for an answer', async () => {
    const { target } = await mock([receive(), stall()]);
    const { code, output, errors } = await run(variant, `${target} --first-byte-timeout=200`);
    expect({ code, output: output.slice(0, 27) }).toEqual({ code: 1, output: 'Status: 504 Gateway Timeout' });
    expect(errors).toContain(`(backend "${target}", awaited "first byte")\n`);
  });

  test('end the wait for more of an answer', async () => {
    const begin = answerBytes({ body: 'part', lieAboutLength: 1 });
    const { target } = await mock([receive(), send(begin), stall()]);
    const { code, output, errors } = await run(variant, `${target} --idle-timeout=200`);
    expect({ code, output }).toEqual({ code: 1, output: begin.toString() });
    expect(errors).toContain(`ERR_SCGI_BACKEND_TIMEOUT: `);
    expect(errors).toContain(`(backend "${target}", awaited "response")\n`);
  });

  test('end the wait for more of a head', async () => {
    const { target } = await mock([receive(), send('Status: 2'), stall()]);
    const { code, output } = await run(variant, `${target} --idle-timeout=200`);
    expect({ code, output: output.slice(0, 27) }).toEqual({ code: 1, output: 'Status: 504 Gateway Timeout' });
  });

  test('end the sending to a server that does not read', async () => {
    const { target } = await mock([receiveHead(), stallDeaf()]);
    const body = 'x'.repeat(4_000_000);
    const { code, output, errors } = await run(variant, `${target} --idle-timeout=300`, { env: post(body), body });
    expect({ code, output: output.slice(0, 27) }).toEqual({ code: 1, output: 'Status: 504 Gateway Timeout' });
    expect(errors).toContain(`ERR_SCGI_BACKEND_TIMEOUT: `);
  });

  test('end the wait for the body', async () => {
    const { target } = await mock(receive());
    const options = { env: post('abcdef'), body: 'abc', keepOpen: true };
    const { code, output, errors } = await run(variant, `${target} --idle-timeout=200`, options);
    expect({ code, output: output.slice(0, 27) }).toEqual({ code: 1, output: 'Status: 408 Request Timeout' });
    expect(errors).toBe(
      'cgi2scgi: ERR_SCGI_IDLE_TIMEOUT: the peer sent or took nothing for idleTimeout (idleTimeout 200)\n',
    );
  });

  test('end the copying to a web server that takes nothing', async () => {
    const { target } = await mock([
      receive(),
      send(answerBytes({ contentLength: null })),
      sendRepeatedly('x'.repeat(65_536), 200),
      end(),
    ]);
    const program = start(variant, `${target} --idle-timeout=300`, { unread: true });
    await new Promise((resolve) => program.child.once('exit', resolve));
    program.readOutput();
    const { code, errors } = await program.ended();
    expect(code).toBe(1);
    expect(errors).toContain('ERR_SCGI_IDLE_TIMEOUT');
  });

  test('are none where they are 0, and that of the idle time is not for the answer’s first byte', async () => {
    const backend = await mock([receive(), gate('answer'), send(answerBytes({ body: 'ok' })), end()]);
    const program = start(variant, `${backend.target} --first-byte-timeout=0 --connect-timeout=0 --idle-timeout=100`);
    await backend.atGate('answer');
    await delay(400);
    backend.openGate('answer');
    expect(await program.ended()).toMatchObject({ code: 0, errors: '' });
    const slow = start(variant, `${backend.target} --idle-timeout=0`, { env: post('abc'), body: 'ab', keepOpen: true });
    await backend.connection(1);
    await delay(300);
    slow.input.end('c');
    expect(await slow.ended()).toMatchObject({ code: 0, errors: '' });
  });

  test('begin anew with every byte', async () => {
    const script = ['Status: 200\r\n\r\n', 'a', 'b', 'c', 'd'].flatMap((text) => [gate(text), send(text)]);
    const backend = await mock([receive(), ...script, end()]);
    const program = start(variant, `${backend.target} --idle-timeout=400`);
    for (const text of ['Status: 200\r\n\r\n', 'a', 'b', 'c', 'd']) {
      await backend.atGate(text);
      await delay(200);
      backend.openGate(text);
    }
    expect(await program.ended()).toMatchObject({ code: 0, output: 'Status: 200\r\n\r\nabcd', errors: '' });
  });
});

function mock(behaviour: Behaviour, options: MockBackendOptions = {}): Promise<MockBackend> {
  const backend = mockBackend(behaviour, options);
  onTestFinished(async () => (await backend).close());
  return backend;
}
