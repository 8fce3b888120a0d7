// How a running server stops: nobody new gets in, who is in gets an answer, and there is an end to the waiting.

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/index.js';
import { connect, ending, exchange, head, turns, within } from '../support/raw-client.js';
import { addressOf, firstAddress, rejectionOf, serve, temporaryFolder } from './support.js';

/** Sends a request and hands out its response object, unanswered. */
async function openRequest(
  running: RunningServer,
  bytes: string = head(),
): Promise<{
  readonly response: ServerResponse;
  readonly answer: ReturnType<typeof ending>;
}> {
  const requested = once(running.server, 'request');
  const socket = await connect(firstAddress(running));
  const answer = ending(socket);
  socket.write(bytes);
  const [, response] = (await within('the request', requested)) as [IncomingMessage, ServerResponse];
  return { response, answer };
}

/** Whether the promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe('close', () => {
  it('lets a request in flight finish, and resolves then', async () => {
    const running = await serve(() => {});
    const { response, answer } = await openRequest(running);
    const closed = running.close();
    await turns(20);
    expect(await rejectionOf(connect(firstAddress(running)))).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await isSettled(closed)).toBe(false);
    response.end('finished');
    expect(await answer).toMatchObject({ text: expect.stringMatching(/finished$/), by: 'fin' });
    await within('the close', closed);
    expect(running.server.listening).toBe(false);
  });

  it('answers who had connected before, accepted or not', async () => {
    const running = await serve((_req, res) => res.end('ok'));
    const { host = '', port = 0 } = running.endpoints[0] ?? {};
    // Synchronous, so that the server cannot accept between the connections and the close.
    const answers = Array.from({ length: 50 }, () => {
      const socket = net.connect({ host, port });
      socket.write(head());
      return ending(socket);
    });
    const closed = running.close();
    for (const answer of await Promise.all(answers)) expect(answer.text).toMatch(/ok$/);
    await within('the close', closed);
  });

  it('lets a request finish whose body is still on its way', async () => {
    const running = await serve((req, res) => req.resume().on('end', () => res.end('all read')));
    const requested = once(running.server, 'request');
    const socket = await connect(firstAddress(running));
    const answer = ending(socket);
    socket.write(`${head({ CONTENT_LENGTH: '6' })}abc`);
    await within('the request', requested);
    const closed = running.close();
    socket.write('def');
    expect((await answer).text).toMatch(/all read$/);
    await within('the close', closed);
  });

  it('lets a request finish whose head is still on its way', async () => {
    const running = await serve((_req, res) => res.end('served'));
    const accepted = once(running.server, 'connection');
    const socket = await connect(firstAddress(running));
    const answer = ending(socket);
    const [begin, rest] = [head().slice(0, 10), head().slice(10)];
    socket.write(begin);
    const [peer] = await within('the connection', accepted);
    await within('the first bytes', once(peer, 'data'));
    const closed = running.close();
    socket.write(rest);
    expect((await answer).text).toMatch(/served$/);
    await within('the close', closed);
  });

  it('does not wait for connections that sent nothing', async () => {
    const running = await serve(() => {});
    const accepted = once(running.server, 'connection');
    const idle = await connect(firstAddress(running));
    const end = ending(idle);
    await within('the connection', accepted);
    await within('the close', running.close());
    expect((await end).text).toBe('');
  });

  it('does not wait for connections that sent nothing to the second address either', async () => {
    const running = await serve(() => {}, { bind: [0, 0] });
    const idle = await connect(addressOf(running.endpoints[1]));
    const end = ending(idle);
    // Behind the idle one in the same queue: once this is answered, the idle one was accepted.
    running.server.on('request', (_req, res) => res.end());
    await exchange(addressOf(running.endpoints[1]), head());
    await within('the close', running.close());
    expect((await end).text).toBe('');
  });

  it('breaks off what is not finished by the time-out', async () => {
    const running = await serve((_req, res) => void res.write('half'));
    const { answer } = await openRequest(running);
    await within('the close', running.close({ timeout: 50 }));
    expect((await answer).text).toMatch(/^(?:Status: 200 OK\r\n\r\nhalf)?$/);
  });

  it('with time-out 0 waits for nobody', async () => {
    const running = await serve(() => {});
    const { response, answer } = await openRequest(running);
    const aborted = once(response, 'close');
    await within('the close', running.close({ timeout: 0 }));
    await within('the abort', aborted);
    expect((await answer).text).toBe('');
  });

  it.each([Infinity, 2 ** 31])('with time-out %d waits as long as it takes', async (timeout) => {
    const running = await serve(() => {});
    const { response, answer } = await openRequest(running);
    const closed = running.close({ timeout });
    // A timer that Node cuts to one millisecond would be due by then.
    await new Promise((resolve) => setTimeout(resolve, 5));
    response.end('finished');
    expect((await answer).text).toMatch(/finished$/);
    await within('the close', closed);
  });

  it('may be called again: all calls wait for the same end', async () => {
    const running = await serve(() => {});
    const { response } = await openRequest(running);
    const calls = [running.close(), running.close(), running.close()];
    expect(await isSettled(Promise.race(calls))).toBe(false);
    response.end();
    await within('the closes', Promise.all(calls));
    await within('one more close', running.close());
  });

  it('called again with less patience breaks off what the first call waits for', async () => {
    const running = await serve(() => {});
    const { answer } = await openRequest(running);
    const patient = running.close();
    await within('the impatient close', running.close({ timeout: 0 }));
    await within('the patient close', patient);
    expect((await answer).text).toBe('');
  });

  it('after server.close() of the application still resolves', async () => {
    const running = await serve(() => {});
    running.server.close();
    await within('the close', running.close());
  });

  it('removes the Unix socket at once, before the last request is finished', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const running = await serve(() => {}, { bind: `unix:${path}` });
    const { response, answer } = await openRequest(running);
    const closed = running.close();
    expect(existsSync(path)).toBe(false);
    response.end('finished');
    expect((await answer).text).toMatch(/finished$/);
    await within('the close', closed);
  });

  it('leaves the path free for the next server, even while the first still drains', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const first = await serve(() => {}, { bind: `unix:${path}` });
    const { response } = await openRequest(first);
    const closed = first.close();
    const second = await serve((_req, res) => res.end('second'), { bind: `unix:${path}` });
    response.end();
    await within('the close of the first', closed);
    expect((await exchange(path, head())).text).toMatch(/second$/);
    await within('the close of the second', second.close());
    expect(existsSync(path)).toBe(false);
  });

  it('frees a TCP port for the next server', async () => {
    const first = await serve((_req, res) => res.end('first'));
    const bind = first.endpoints[0]?.address ?? '';
    expect((await exchange(firstAddress(first), head())).text).toMatch(/first$/);
    await within('the close', first.close());
    const second = await serve((_req, res) => res.end('second'), { bind });
    expect((await exchange(firstAddress(second), head())).text).toMatch(/second$/);
  });

  it('is what `await using` calls', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    {
      await using running = await serve((_req, res) => res.end('here'), { bind: `unix:${path}` });
      expect((await exchange(firstAddress(running), head())).text).toMatch(/here$/);
    }
    expect(existsSync(path)).toBe(false);
  });

  it('leaves no timer that keeps the process alive', async () => {
    const running = await serve((_req, res) => res.end());
    await exchange(firstAddress(running), head());
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    await within('the close', running.close());
    const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    expect(after).toBeLessThanOrEqual(before);
  });
});
