// A server that is away for a moment, as one that restarts is: what is tried again, for how long, and what never.

import {
  answer,
  close,
  mockBackend,
  missing,
  neverAccept,
  perConnection,
  receive,
  receiveBody,
  receiveHead,
  refuse,
  reset,
  send,
  type MockBackend,
  type MockBackendOptions,
} from '@scgi/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { post, run, start } from './support/program.js';
import { describeVariants } from './support/variants.js';

const whole = { code: 0, errors: '', output: 'Status: 200\r\nContent-Length: 2\r\n\r\nok' };
const healthy = answer({ body: 'ok' });
type Behaviour = Parameters<typeof mockBackend>[0];

describeVariants('a request to a server that is away', (variant) => {
  test.each([
    ['there is no socket yet', 'unix', missing(healthy)],
    ['nobody listens on the socket', 'unix', refuse(healthy)],
    ['nobody listens on the port', 'tcp', refuse(healthy)],
  ] as const)('is answered once it is back, whatever its method: %s', async (_, transport, behaviour) => {
    const backend = await mock(behaviour, { transport });
    const program = start(variant, backend.target, { env: post('abc'), body: 'abc' });
    // So long that it has tried more than once; the test holds for every other time as well.
    await delay(400);
    expect(program.child.exitCode).toBe(null);
    await backend.listen();
    expect(await program.ended()).toMatchObject(whole);
    expect(backend.connections[0]?.body.toString()).toBe('abc');
  });

  test.each([
    ['ENOENT', 'unix', missing(), 502, 'ERR_SCGI_BACKEND_UNREACHABLE: no connection to the SCGI backend'],
    ['ECONNREFUSED', 'unix', refuse(), 502, 'ERR_SCGI_BACKEND_UNREACHABLE: no connection to the SCGI backend'],
    ['ECONNREFUSED', 'tcp', refuse(), 502, 'ERR_SCGI_BACKEND_UNREACHABLE: no connection to the SCGI backend'],
    ['EAGAIN', 'unix', neverAccept(), 503, 'ERR_SCGI_BACKEND_BUSY: no connection to the SCGI backend is free'],
  ] as const)('is given up after the time for it: %s over %s', async (reason, transport, behaviour, status, text) => {
    const { target } = await mock(behaviour, { transport });
    for (const retryFor of [300, 0]) {
      const before = performance.now();
      const { code, output, errors } = await run(variant, `${target} --retry-for=${retryFor}`);
      expect({ code, errors }).toEqual({
        code: 1,
        errors: `cgi2scgi: ${text} (backend "${target}", reason "${reason}")\n`,
      });
      expect(output).toContain(`Status: ${status} `);
      expect(performance.now() - before).toBeGreaterThan(retryFor);
    }
  });

  test('is not tried again where that makes no sense', async () => {
    const before = performance.now();
    const { code, output, errors } = await run(variant, 'unix:/etc/passwd/app.sock');
    expect({ code, output: output.slice(0, 23) }).toEqual({ code: 1, output: 'Status: 502 Bad Gateway' });
    expect(errors).toContain('(backend "unix:/etc/passwd/app.sock", reason "ENOTDIR")');
    expect(performance.now() - before).toBeLessThan(9_000);
  });

  test('is not tried again where the name of its host is unknown', async () => {
    const { code, output, errors } = await run(variant, 'no-such-host.invalid:4000 --connect-timeout=3000');
    expect(code).toBe(1);
    expect(output).toMatch(/^Status: 50[24] /);
    expect(errors).toMatch(/reason "(?:ENOTFOUND|EAI_AGAIN)"|awaited "connect"/);
  });

  test.each(['GET', 'HEAD', 'OPTIONS', 'TRACE'])(
    'is tried again after a reset, with longer and longer pauses: %s',
    async (method) => {
      const backend = await mock(perConnection(close(), close(), close(), close(), receive()), {});
      const program = start(variant, backend.target, { env: { REQUEST_METHOD: method } });
      const before = performance.now();
      await backend.connection(4);
      // 25 + 50 + 100 + 200 ms, less what a clock may lack.
      expect(performance.now() - before).toBeGreaterThan(370);
      expect(backend.connections).toHaveLength(5);
      program.child.kill();
      await program.ended();
    },
  );

  test('is not tried again after a reset if that could do it twice', async () => {
    const backend = await mock(perConnection([receiveHead(), close()], healthy));
    const body = 'x'.repeat(2_000_000);
    const { code, output } = await run(variant, backend.target, { env: post(body), body });
    expect({ code, output: output.slice(0, 23) }).toEqual({ code: 1, output: 'Status: 502 Bad Gateway' });
    expect(backend.connections).toHaveLength(1);
  });

  test('is not tried again once something of its body was sent', async () => {
    const backend = await mock(perConnection([receiveBody(1), close()], healthy));
    const body = 'x'.repeat(2_000_000);
    const env = { ...post(body), REQUEST_METHOD: 'GET' };
    const { code, output } = await run(variant, backend.target, { env, body });
    expect({ code, output: output.slice(0, 23) }).toEqual({ code: 1, output: 'Status: 502 Bad Gateway' });
    expect(backend.connections).toHaveLength(1);
  });

  test('is not tried again once something of the answer has come', async () => {
    const backend = await mock(perConnection([receiveHead(), send('Sta'), reset()], healthy), { transport: 'tcp' });
    const { code, output } = await run(variant, backend.target);
    expect({ code, output: output.slice(0, 23) }).toEqual({ code: 1, output: 'Status: 502 Bad Gateway' });
    expect(backend.connections).toHaveLength(1);
  });

  test('is not tried again if it was read and not answered: it may be what the server dies of', async () => {
    const backend = await mock(perConnection([receive(), close()], healthy));
    const { code, errors } = await run(variant, backend.target);
    expect({ code, errors }).toEqual({
      code: 1,
      errors: 'cgi2scgi: ERR_SCGI_RESPONSE_EMPTY: the backend closed the connection without an answer\n',
    });
    expect(backend.connections).toHaveLength(1);
  });

  test('ends with the web server’s patience', async () => {
    const { target } = await mock(missing());
    const program = start(variant, `${target} --retry-for=60000`);
    await delay(300);
    program.child.kill();
    expect(await program.ended()).toMatchObject({ signal: 'SIGTERM', output: '', errors: '' });
  });
});

function mock(behaviour: Behaviour, options: MockBackendOptions = {}): Promise<MockBackend> {
  const backend = mockBackend(behaviour, options);
  onTestFinished(async () => (await backend).close());
  return backend;
}
