// getData() and getChunk(): the request body whole or in pieces, its bounds, and bodies that nobody wants.

import { describe, expect, test } from 'vitest';
import { ask, askOnce, http, open, rejectionOf, serve, signal, within } from './support/stage.js';

const post = { method: 'POST' };

describe('getData', () => {
  test('gives the whole body', async () => {
    const { text } = await askOnce(async (res) => res.send(await res.getData()), { ...post, body: 'hello' });
    expect(text).toBe('hello');
  });

  test('gives null where there is no body', async () => {
    const { text } = await askOnce(async (res) => res.send(`${await res.getData()}`), post);
    expect(text).toBe('null');
  });

  test('gives a Buffer, so that toString() gives text', async () => {
    const { text } = await askOnce(
      async (res) => {
        const data = await res.getData();
        res.send(`${Buffer.isBuffer(data)} ${data}`);
      },
      { ...post, body: Buffer.from('grüß') },
    );
    expect(text).toBe('true grüß');
  });

  test('puts pieces together in order', async () => {
    const { address } = await serve(http(async (res) => res.send(await res.getData())));
    const client = await open(address, post, 6, 'ab');
    for (const piece of ['cd', 'ef']) {
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(piece);
    }
    await client.sees('\r\n\r\nabcdef');
  });

  test('gives a large body', async () => {
    const body = Buffer.alloc(5_000_000, 'all of it ');
    const answer = await askOnce(async (res) => res.send(await res.getData()), { ...post, body });
    expect(answer.body.equals(body)).toBe(true);
  });

  test('waits for a body whose bytes come later', async () => {
    const { address } = await serve(http(async (res) => res.send(await res.getData())));
    const client = await open(address, post, 3);
    client.socket.write('abc');
    await client.sees('\r\n\r\nabc');
  });

  test('gives what came before it was asked for', async () => {
    const later = signal();
    const { address } = await serve(
      http(async (res) => {
        await later.promise;
        res.send(await res.getData());
      }),
    );
    const client = await open(address, post, 3, 'abc');
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    later.resolve();
    await client.sees('\r\n\r\nabc');
  });

  test('gives what getChunk has left', async () => {
    const { address } = await serve(
      http(async (res) => {
        const first = await res.getChunk();
        res.send('go', true);
        res.send(`${first}|${await res.getData()}`);
      }),
    );
    const client = await open(address, post, 6, 'abc');
    await client.sees('go');
    client.socket.write('def');
    await client.sees('abc|def');
  });

  test('over maxDataBytes is answered 413 if the application lets the error pass', async () => {
    const question = { ...post, body: 'x'.repeat(11) };
    const { status, text, errors } = await askOnce(async (res) => res.send(await res.getData()), question, {
      maxDataBytes: 10,
    });
    expect([status, text]).toEqual([413, 'Content Too Large\n']);
    const code = 'ERR_SCGI_BODY_TOO_LARGE';
    expect(errors).toMatchObject([
      { name: 'RemoteProtocolError', code, details: { bodyLength: 11, maxDataBytes: 10 } },
    ]);
  });

  test('over maxDataBytes rejects before the body has come', async () => {
    const { address } = await serve(
      http(async (res) => {
        const error = await rejectionOf(res.getData());
        res.send(error instanceof Error ? error.name : 'no error');
      }),
      { maxDataBytes: 10 },
    );
    const client = await open(address, post, 1_000_000);
    await client.sees('RemoteProtocolError');
  });

  test('takes exactly maxDataBytes', async () => {
    const question = { ...post, body: 'x'.repeat(10) };
    const { text } = await askOnce(async (res) => res.send(await res.getData()), question, { maxDataBytes: 10 });
    expect(text).toBe('x'.repeat(10));
  });
});

describe('getChunk', () => {
  test('gives piece after piece, then null for ever', async () => {
    const { text } = await askOnce(
      async (res) => {
        const seen: unknown[] = [];
        for (let chunk = await res.getChunk(); chunk !== null; chunk = await res.getChunk()) seen.push(`${chunk}`);
        res.send(JSON.stringify([seen.join(''), await res.getChunk()]));
      },
      { ...post, body: 'hello' },
    );
    expect(JSON.parse(text)).toEqual(['hello', null]);
  });

  test('gives null where there is no body', async () => {
    const { text } = await askOnce(async (res) => res.send(`${await res.getChunk()}`));
    expect(text).toBe('null');
  });

  test('may be asked for several pieces at once, which come in order', async () => {
    const { address } = await serve(
      http(async (res) => {
        const asked = [res.getChunk(), res.getChunk(), res.getChunk()];
        res.send('go', true);
        res.send(JSON.stringify((await Promise.all(asked)).map((chunk) => chunk && `${chunk}`)));
      }),
    );
    const client = await open(address, post, 4);
    await client.sees('go');
    client.socket.write('ab');
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    client.socket.write('cd');
    await client.sees('["ab","cd",null]');
  });

  test('holds the client back while nobody asks', async () => {
    const total = 50_000_000;
    const asked = signal<() => Promise<Buffer | null>>();
    const { address } = await serve(
      http((res) => {
        res.onAborted(() => {});
        asked.resolve(() => res.getChunk());
      }),
    );
    const client = await open(address, post, total);
    client.socket.write(Buffer.alloc(total));
    const getChunk = await within(asked.promise, 'the handler');
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // What the server does not take stays here, apart from what the kernel holds.
    expect(client.socket.writableLength).toBeGreaterThan(total / 2);
    let taken = 0;
    for (let chunk = await getChunk(); chunk !== null; chunk = await getChunk()) taken += chunk.length;
    expect(taken).toBe(total);
  });
});

describe('a body that nobody asks for', () => {
  test('does not stand against the answer', async () => {
    const { address } = await serve(http((res) => res.send('early')));
    const client = await open(address, post, 1_000_000, 'x'.repeat(1000));
    await client.sees('early');
    client.socket.end(Buffer.alloc(999_000));
    await client.closed();
    expect(client.received()).toBe('Status: 200 OK\r\nContent-Length: 5\r\n\r\nearly');
  });

  test('is not to be had behind the answer', async () => {
    const outcome = signal<unknown>();
    await askOnce(
      async (res) => {
        res.send('early');
        outcome.resolve(await rejectionOf(res.getData()));
      },
      { ...post, body: 'abc' },
    );
    expect(await outcome.promise).toMatchObject({ name: 'LocalProtocolError', code: 'ERR_SCGI_STATE' });
  });
});

test('a body that is being read goes on behind an early answer', async () => {
  const whole = signal<unknown>();
  const { address } = await serve(
    http(async (res) => {
      const data = res.getData();
      res.send('early');
      whole.resolve(`${await data}`);
    }),
  );
  const client = await open(address, post, 6, 'abc');
  await client.sees('early');
  client.socket.write('def');
  expect(await within(whole.promise, 'the body')).toBe('abcdef');
});

test('a body may be sent back as it comes', async () => {
  const body = Buffer.alloc(3_000_000, 'there and back ');
  const { address } = await serve(
    http(async (res) => {
      for (let chunk = await res.getChunk(); chunk !== null; chunk = await res.getChunk()) {
        if (!res.send(chunk, true)) await res.drained();
      }
      res.send(null);
    }),
  );
  expect((await ask(address, { ...post, body })).body.equals(body)).toBe(true);
});
