// The raw connection, step by step, against peers that do as a script says.

import { expect, onTestFinished, test } from 'vitest';
import * as mock from '../src/index.js';
import { openRaw, type MockBackend, type MockBehaviour, type RawConnection } from '../src/index.js';

interface Pair {
  readonly connection: RawConnection;
  readonly backend: MockBackend;
}

async function begin(behaviour: MockBehaviour, transport: 'unix' | 'tcp' = 'unix'): Promise<Pair> {
  const backend = await mock.mockBackend(behaviour, { transport });
  onTestFinished(() => backend.close());
  const connection = await openRaw(backend.target, { timeout: 1000 });
  onTestFinished(() => connection[Symbol.asyncDispose]());
  return { connection, backend };
}

test('sends step by step, and sees step by step', async () => {
  const script = [mock.receiveBody(2), mock.send('one'), mock.receive(), mock.send('two'), mock.end()];
  const { connection } = await begin(script);
  await connection.sendHead({ REQUEST_METHOD: 'POST' }, 4);
  await connection.send('ab');
  await connection.sees('one');
  await connection.send('c', Buffer.from('d'));
  await connection.sees(6);
  expect(connection.received()).toBe('onetwo');
  expect(await connection.closed()).toMatchObject({ ended: 'fin', bytes: Buffer.from('onetwo') });
});

test('decodes the answer by the method of its head', async () => {
  const { connection } = await begin([
    mock.receive(),
    mock.send('Status: 200\r\nContent-Length: 9\r\n\r\n'),
    mock.end(),
  ]);
  await connection.sendHead(['REQUEST_METHOD', 'HEAD']);
  expect(await connection.closed()).toMatchObject({ status: 200, fault: undefined });
});

test('half-closes', async () => {
  const { connection, backend } = await begin([mock.receiveHead(), mock.stall()]);
  await connection.sendHead([], 5);
  connection.end();
  expect((await (await backend.connection()).closed()).by).toBe('fin');
  expect((await connection.closed()).ended).toBe('fin');
});

test('resets', async () => {
  const { connection, backend } = await begin([mock.receiveHead(), mock.stall()], 'tcp');
  await connection.sendHead([], 5);
  connection.reset();
  expect((await (await backend.connection()).closed()).by).toBe('reset');
});

test('leaves', async () => {
  const { connection, backend } = await begin([mock.receive(), mock.stall()]);
  await connection.sendHead([]);
  await connection.leave();
  expect((await (await backend.connection()).closed()).by).toBe('fin');
});

test('tells a reset from an end', async () => {
  const { connection } = await begin([mock.resetAt(3), mock.answer()], 'tcp');
  await connection.sendHead([]);
  expect(await connection.closed()).toMatchObject({ ended: 'reset', bytes: Buffer.from('Sta') });
});

test('reads no more while it is paused', async () => {
  const { connection, backend } = await begin([
    mock.receive(),
    mock.sendRepeatedly('x'.repeat(65_536), 100),
    mock.end(),
  ]);
  connection.pause();
  await connection.sendHead([]);
  const peer = await backend.connection();
  await peer.request();
  await connection.send('', '', '', '');
  expect(peer.bytesSent).toBeLessThan(2_000_000);
  connection.resume();
  expect((await connection.closed()).bytes.length).toBe(6_553_600);
});

test('says what it waited for in vain, and what came', async () => {
  const { backend } = await begin([mock.receive(), mock.send('some'), mock.stall()]);
  await using connection = await openRaw(backend.target, { timeout: 50 });
  await connection.sendHead([]);
  await expect(connection.sees('more')).rejects.toThrow(
    'the SCGI server sent no "more"; received 4 bytes: "some", within 50 ms',
  );
});

test('fails where nobody listens', async () => {
  await expect(openRaw('unix:/nowhere/app.sock')).rejects.toMatchObject({ code: 'ENOENT' });
});
