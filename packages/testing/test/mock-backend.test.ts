// The mock backend as a client meets it: each step of a script by the bytes and the endings that it makes.

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { BackendSocket, parseTarget } from '@scgi/client/exchange';
import { encodeRequest } from '@scgi/core/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as mock from '../src/index.js';
import type { MockBackend, MockBehaviour } from '../src/index.js';
import { Client, start, turns } from './support/client.js';

const transports = ['unix', 'tcp'] as const;
const ok = 'Status: 200\r\nContent-Length: 2\r\n\r\nok';

describe.each(transports)('over %s', (transport) => {
  const begin = (behaviour: MockBehaviour): Promise<MockBackend> => start(behaviour, { transport });

  test('answers a whole request and records it', async () => {
    const { target, connection } = await begin(mock.answer({ body: 'ok' }));
    const client = new Client(target).send('abc');
    expect(await client.over).toBe('end');
    expect(client.received).toBe(ok);
    client.socket.end();
    const first = await connection();
    expect((await first.request()).toString()).toBe('abc');
    expect(first.variables).toEqual(['CONTENT_LENGTH', '3', 'SCGI', '1', 'REQUEST_METHOD', 'POST', 'A', 'b']);
    expect(first.env).toMatchObject({ REQUEST_METHOD: 'POST', A: 'b' });
    expect(await first.closed()).toMatchObject({ by: 'fin', bytesSent: ok.length });
    expect(first).toMatchObject({ number: 0, bodyBytes: 3, complete: true, fault: undefined });
  });

  test.each([0, 1, 17, ok.length])('is silent from byte %i on', async (bytes) => {
    const { target, connection } = await begin([mock.stallAt(bytes), mock.answer({ body: 'ok' })]);
    const client = new Client(target).send();
    expect(await client.until(bytes)).toBe(ok.slice(0, bytes));
    await turns();
    expect(client.received).toBe(ok.slice(0, bytes));
    client.socket.destroy();
    expect((await (await connection()).closed()).by).toBe('fin');
  });

  test.each([0, 1, 17, ok.length])('ends at byte %i', async (bytes) => {
    const { target } = await begin([mock.endAt(bytes), mock.answer({ body: 'ok' })]);
    const client = new Client(target).send();
    expect(await client.over).toBe('end');
    expect(client.received).toBe(ok.slice(0, bytes));
  });

  test('refuses connections until it is told to listen', async () => {
    const backend = await begin(mock.refuse(mock.answer()));
    expect(await new Client(backend.target).over).toBe('ECONNREFUSED');
    await backend.listen();
    expect(await new Client(backend.target).send().over).toBe('end');
    backend.stopListening();
    expect(await new Client(backend.target).over).toBe('ECONNREFUSED');
  });

  test('dies with all its connections after so many bytes of body', async () => {
    const { target, connection } = await begin(mock.perConnection(mock.stall(), mock.exitAfter(3)));
    const bystander = new Client(target).send();
    await connection(0);
    const client = new Client(target).send('abc', 10);
    expect([await client.over, await bystander.over]).toEqual(['end', 'end']);
    expect((await connection(1)).body.toString()).toBe('abc');
    expect(await new Client(target).over).toBe('ECONNREFUSED');
  });

  test('reads slowly', async () => {
    const { target, connection } = await begin([mock.readSlowly({ bytes: 10, everyMs: 1 }), mock.send(ok), mock.end()]);
    const client = new Client(target).send('x'.repeat(200));
    const first = await connection();
    expect(first.complete).toBe(false);
    await client.over;
    expect(first.bodyBytes).toBe(200);
    expect(client.received).toBe(ok);
  });

  test('reads no further than the script says', async () => {
    const { target, connection, openGate } = await begin([
      mock.receiveBody(5),
      mock.gate('on'),
      mock.send(ok),
      mock.receive(),
      mock.end(),
    ]);
    const size = 8_000_000;
    const client = new Client(target).send('x'.repeat(size));
    const first = await connection();
    await first.head();
    await turns();
    expect(first.bodyBytes).toBeGreaterThanOrEqual(5);
    expect(first.bodyBytes).toBeLessThan(200_000);
    openGate('on');
    await client.over;
    expect(first.bodyBytes).toBe(size);
  });

  test('has a full queue that nobody serves', async () => {
    const { target } = await begin(mock.neverAccept());
    const client = new Client(target);
    if (transport === 'unix') {
      expect(await client.over).toBe('EAGAIN');
    } else {
      await turns(200);
      expect(client.socket.connecting).toBe(true);
    }
  });

  test('hears that its client has left once the script reads again', async () => {
    const { target, connection, openGate } = await begin([
      mock.receiveHead(),
      mock.send('x'.repeat(10)),
      mock.gate('left'),
    ]);
    const client = new Client(target).send();
    await client.until(10);
    client.socket.pauseReading();
    client.socket.destroy();
    openGate('left');
    expect((await (await connection()).closed()).by).toBe('fin');
  });
});

test('resets over TCP at any byte', async () => {
  for (const bytes of [0, 1, 17, ok.length]) {
    const { target } = await start([mock.resetAt(bytes), mock.answer({ body: 'ok' })], { transport: 'tcp' });
    const client = new Client(target).send();
    expect(await client.over).toBe('ECONNRESET');
    expect(client.received).toBe(ok.slice(0, bytes));
  }
});

test('resets on a Unix socket where bytes of the client are unread', async () => {
  const { target, openGate } = await start([mock.gate('sent'), mock.send('Status'), mock.reset()]);
  const client = new Client(target).send();
  await turns();
  openGate('sent');
  expect(await client.over).toBe('ECONNRESET');
  expect(client.received).toBe('Status');
});

test('hears a reset of its client, also behind bytes', async () => {
  const { target, connection } = await start([mock.receive(), mock.stall()], { transport: 'tcp' });
  const client = new Client(target).send('abc', 10);
  client.socket.write('de', () => client.socket.resetAndDestroy());
  const ending = await (await connection()).closed();
  expect(ending.by).toBe('reset');
  expect((await connection()).body.toString()).toBe('abcde');
});

test('closes without having read a byte', async () => {
  const { target, connection } = await start(mock.closeBeforeReading());
  expect(await new Client(target).over).toBe('end');
  expect((await (await connection()).closed()).by).toBe('mock');
});

test('follows another script on each connection, and the last one from there on', async () => {
  const script = mock.perConnection(mock.answer({ status: 503 }), mock.answer({ body: 'ok' }));
  const { target, connections } = await start(script);
  const answers: string[] = [];
  for (let number = 0; number < 3; number += 1) {
    const client = new Client(target).send();
    await client.over;
    answers.push(client.received);
  }
  expect(answers).toEqual(['Status: 503\r\nContent-Length: 0\r\n\r\n', ok, ok]);
  expect(connections.map(({ number }) => number)).toEqual([0, 1, 2]);
});

test('waits at its gates, and tells when it is there', async () => {
  const backend = await start([
    mock.receive(),
    mock.send('a'),
    mock.gate('b'),
    mock.send('b'),
    mock.gate('c'),
    mock.end(),
  ]);
  const client = new Client(backend.target).send();
  await backend.atGate('b');
  await client.until(1);
  await turns();
  expect(client.received).toBe('a');
  backend.openGate('c');
  backend.openGate('b');
  expect(await client.over).toBe('end');
  expect(client.received).toBe('ab');
});

test('has no socket file until it is told to listen', async () => {
  const backend = await start(mock.missing(mock.answer()));
  expect(await new Client(backend.target).over).toBe('ENOENT');
  await backend.listen();
  expect(await new Client(backend.target).send().over).toBe('end');
});

test('drips', async () => {
  const { target } = await start([mock.receive(), mock.drip('abcdef', 25, 2), mock.end()]);
  const pieces: string[] = [];
  const client = new Client(target).send();
  const socket = new BackendSocket((bytes) => pieces.push(Buffer.from(bytes).toString()));
  socket.connect(parseTarget(target).connect).write(encodeRequest([], 0));
  onTestFinished(() => void socket.destroy());
  expect(await client.over).toBe('end');
  await new Promise((resolve) => socket.once('end', resolve));
  expect(client.received).toBe('abcdef');
  expect(pieces).toEqual(['ab', 'cd', 'ef']);
});

test('sends as fast as the client takes it', async () => {
  const { target, connection } = await start([
    mock.receive(),
    mock.sendRepeatedly('x'.repeat(65_536), 100),
    mock.end(),
  ]);
  const client = new Client(target);
  client.socket.pauseReading();
  client.send();
  const first = await connection();
  await first.request();
  await turns(200);
  expect(first.bytesSent).toBeLessThan(2_000_000);
  client.socket.resumeReading();
  await client.over;
  expect(client.received.length).toBe(6_553_600);
});

test.each([
  [{ body: 'ok', lieAboutLength: 3 }, 'Status: 200\r\nContent-Length: 5\r\n\r\nok'],
  [{ body: 'ok', lieAboutLength: -1 }, 'Status: 200\r\nContent-Length: 1\r\n\r\nok'],
  [{ body: 'ok', contentLength: null }, 'Status: 200\r\n\r\nok'],
  [{ contentLength: 7 }, 'Status: 200\r\nContent-Length: 7\r\n\r\n'],
  [
    { status: 404, reason: 'Gone Away', fields: { 'X-A': '1' } },
    'Status: 404 Gone Away\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n',
  ],
  [{ fields: ['A', '1', 'A', '2'], contentLength: null }, 'Status: 200\r\nA: 1\r\nA: 2\r\n\r\n'],
])('makes of %o the bytes %j', (parts, bytes) => {
  expect(mock.answerBytes(parts).toString('latin1')).toBe(bytes);
});

test('tells what is wrong with a request', async () => {
  const { target, connection } = await start(mock.receive());
  const client = new Client(target);
  client.socket.write('GET / HTTP/1.1\r\n\r\n');
  client.socket.end();
  await client.over;
  expect((await connection()).fault).toMatchObject({ code: 'ERR_SCGI_PLAIN_HTTP' });
});

test('keeps only so much of a body', async () => {
  const { target, connection } = await start(mock.answer(), { maxRecordedBody: 2 });
  await new Client(target).send('abc').over;
  expect(await (await connection()).request()).toEqual(Buffer.from('ab'));
  expect((await connection()).bodyBytes).toBe(3);
});

test('reads nothing more when it is deaf', async () => {
  const { target, connection } = await start([mock.receiveBody(1), mock.stallDeaf()]);
  const client = new Client(target).send('x'.repeat(4_000_000));
  const first = await connection();
  await first.head();
  await turns(200);
  expect(first.bodyBytes).toBeLessThan(200_000);
  expect(client.socket.writableLength).toBeGreaterThan(0);
});

test('every wait has a deadline and says what has come', async () => {
  const { target, connection, atGate } = await start(mock.receive(), { timeout: 50 });
  await expect(connection()).rejects.toThrow('waited 50 ms for connection 0 to the mock backend; 0 have come');
  await expect(atGate('x')).rejects.toThrow('waited 50 ms for a connection at the gate x');
  new Client(target).send('abc', 5);
  const first = await connection();
  await expect(first.request()).rejects.toThrow(/so far \d+ bytes came, 3 of them body, and 0 went/);
});

test('leaves nothing behind when it is closed, and may be closed twice', async () => {
  const backend = await start(mock.stall());
  const client = new Client(backend.target).send();
  await backend.connection();
  await backend.close();
  await backend[Symbol.asyncDispose]();
  expect(await client.over).not.toBe('');
  expect(existsSync(dirname(backend.target.slice('unix:'.length)))).toBe(false);
});

test.each([{ timeout: -1 }, { maxRecordedBody: 0.5 }])('refuses %o', async (options) => {
  await expect(mock.mockBackend([], options)).rejects.toMatchObject({ code: 'ERR_SCGI_OPTION' });
});
