// Which address gets a request: the rules alone, then with real listeners.

import { expect, onTestFinished, test, vi } from 'vitest';
import { type Peer, Peers, type PeerSettings } from '../src/exchange/peers.js';
import { parseTargets } from '../src/exchange/target.js';
import { scgi, ScgiClient } from '../src/index.js';
import { startBackend } from './support/backend.js';
import { appear, named, nowhere } from './support/listeners.js';
import { rejection } from './support/rejection.js';
import { until } from './support/within.js';

const defaults: PeerSettings = { balance: 'first', maxFails: 1, failTimeout: 1000, slowStart: 0 };

/** Three peers on a clock of the test's own. */
function makePeers(settings: Partial<PeerSettings> = {}): { peers: Peers; tick: (ms: number) => void } {
  let now = 100_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const peers = new Peers(parseTargets([1, 2, 3]), { ...defaults, ...settings });
  return { peers, tick: (ms) => (now += ms) };
}

const portOf = (peer: Peer | undefined): string => peer?.address.text.split(':')[1] ?? 'none';
const choices = (peers: Peers, count: number): string =>
  Array.from({ length: count }, () => portOf(peers.choose())).join('');

test('the first address gets everything as long as it is healthy', () => {
  const { peers, tick } = makePeers();
  expect(choices(peers, 4)).toBe('1111');
  const first = peers.choose();
  peers.failed(first);
  expect(choices(peers, 3)).toBe('222');
  tick(999);
  expect(choices(peers, 2)).toBe('22');
  tick(1);
  expect(choices(peers, 1)).toBe('1');
  peers.succeeded(first);
  expect(choices(peers, 3)).toBe('111');
});

test('one request looks whether an address is back, the others go elsewhere', () => {
  const { peers, tick } = makePeers();
  peers.failed(peers.choose());
  tick(1000);
  expect(choices(peers, 4)).toBe('1222');
  tick(1000);
  expect(choices(peers, 2)).toBe('12');
});

test('round robin takes one after the other, without those that are left alone', () => {
  const { peers } = makePeers({ balance: 'round-robin' });
  expect(choices(peers, 6)).toBe('123123');
  peers.failed(peers.choose());
  expect(choices(peers, 6)).toBe('232232');
});

test('least connections takes the least busy, and shares what is even', () => {
  const { peers } = makePeers({ balance: 'least-connections' });
  expect(choices(peers, 3)).toBe('123');
  const [first, second] = [peers.choose(), peers.choose()];
  first.connections = 2;
  second.connections = 1;
  expect(choices(peers, 3)).toBe('333');
});

test('an address is left alone after as many failures in a row as maxFails says', () => {
  const { peers, tick } = makePeers({ maxFails: 2 });
  const first = peers.choose();
  peers.failed(first);
  expect(choices(peers, 1)).toBe('1');
  peers.succeeded(first);
  peers.failed(first);
  expect(choices(peers, 1)).toBe('1');
  tick(1001);
  peers.failed(first);
  expect(choices(peers, 1)).toBe('1');
  peers.failed(first);
  expect(choices(peers, 1)).toBe('2');
});

test('maxFails 0 leaves none alone', () => {
  const { peers } = makePeers({ maxFails: 0 });
  for (let round = 0; round < 10; round += 1) peers.failed(peers.choose());
  expect(choices(peers, 2)).toBe('11');
});

test('with all of them left alone, the one that is so for longest is asked', () => {
  const { peers, tick } = makePeers();
  for (const _ of [1, 2, 3]) {
    peers.failed(peers.choose());
    tick(10);
  }
  expect(choices(peers, 2)).toBe('11');
});

test('a request tries every address once', () => {
  const { peers } = makePeers();
  const tried = new Set<Peer>();
  const order: string[] = [];
  for (let peer: Peer | undefined = peers.choose(); peer !== undefined; peer = peers.chooseOther(tried)) {
    peers.failed(peer);
    order.push(portOf(peer));
    tried.add(peer);
  }
  expect(order).toEqual(['1', '2', '3']);
});

test('an address that came back gets more and more, up to its share', () => {
  const { peers, tick } = makePeers({ balance: 'round-robin', slowStart: 1000 });
  let random = 0;
  const dice = vi.spyOn(Math, 'random').mockImplementation(() => (random = (random + 0.1) % 1));
  onTestFinished(() => dice.mockRestore());
  const first = peers.choose();
  peers.failed(first);
  tick(1000);
  peers.succeeded(first);
  const share = (): number => choices(peers, 300).split('1').length - 1;
  const atOnce = share();
  tick(500);
  const halfway = share();
  tick(500);
  expect(share()).toBe(100);
  expect(atOnce).toBeLessThan(15);
  expect(halfway).toBeGreaterThan(atOnce);
  expect(halfway).toBeLessThan(90);
});

test('a warming address is better than none', () => {
  const { peers, tick } = makePeers({ slowStart: 1000 });
  const first = peers.choose();
  peers.failed(first);
  peers.failed(peers.choose());
  peers.failed(peers.choose());
  tick(500);
  peers.succeeded(first);
  expect(choices(peers, 3)).toBe('111');
});

test('a request goes on to the next address when nobody listens at one, whatever its method', async () => {
  const b = await named('b');
  for (const method of ['GET', 'POST']) {
    const response = await scgi([nowhere(), nowhere(), b.target], {
      method,
      body: method === 'POST' ? 'x' : undefined,
    });
    expect(await response.text()).toBe('b');
  }
});

test('it does not once it was connected: the request may have been run', async () => {
  const closing = await startBackend((connection) => connection.socket.end());
  const b = await named('b');
  const error = await rejection(scgi([closing.target, b.target], { retries: 3 }));
  expect(error).toMatchObject({ code: 'ERR_SCGI_RESPONSE_EMPTY' });
  expect(b.count()).toBe(0);
});

test('the error of the last address is told when none can be reached', async () => {
  const last = nowhere();
  expect(await rejection(scgi([nowhere(), last]))).toMatchObject({
    code: 'ERR_SCGI_BACKEND_UNREACHABLE',
    details: { backend: last },
  });
});

test('round robin spreads requests over listeners', async () => {
  const backends = [await named('a'), await named('b'), await named('c')];
  const client = new ScgiClient(
    backends.map(({ target }) => target),
    { balance: 'round-robin' },
  );
  for (let round = 0; round < 9; round += 1) await (await client.request()).text();
  expect(backends.map((backend) => backend.count())).toEqual([3, 3, 3]);
});

test('least connections leaves a busy listener alone', async () => {
  const busy = await startBackend();
  const idle = await named('b');
  const client = new ScgiClient([busy.target, idle.target], { balance: 'least-connections' });
  const stuck = client.request();
  stuck.catch(() => {});
  await (await busy.connection()).body();
  for (let round = 0; round < 4; round += 1) {
    expect(await (await client.request()).text()).toBe('b');
    await until('that connection is closed', () => client.backend.connections === 1);
  }
  expect(busy.connections).toHaveLength(1);
});

test('an address is used again when it is back', async () => {
  const place = nowhere();
  const b = await named('b');
  const client = new ScgiClient([place, b.target], { failTimeout: 30 });
  const ask = async (): Promise<string> => (await client.request()).text();
  expect(await ask()).toBe('b');
  const stop = await appear(place, 'a');
  expect(await ask()).toBe('b');
  await vi.waitUntil(async () => (await ask()) === 'a', { timeout: 5000, interval: 5 });
  expect(await ask()).toBe('a');
  await stop();
  expect(await ask()).toBe('b');
});
