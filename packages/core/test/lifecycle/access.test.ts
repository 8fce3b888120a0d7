// Who may connect, and which addresses may be opened.
import { describe, expect, test } from 'vitest';
import { assertBindAllowed, createPeerFilter, isLoopback } from '../../src/lifecycle/access.js';
import { failureOf } from './support.js';

describe('isLoopback', () => {
  test.each([
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['::ffff:7f00:1', true],
    [undefined, true],
    ['128.0.0.1', false],
    ['126.255.255.255', false],
    ['0.0.0.0', false],
    ['::', false],
    ['::ffff:10.0.0.1', false],
    ['::2', false],
    ['fe80::1%lo', false],
    ['localhost', false],
    ['', false],
  ])('%j is %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });
});

describe('a peer filter without allowFrom', () => {
  const allows = createPeerFilter(undefined);

  test.each([
    ['127.0.0.1', true],
    ['127.8.8.8', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['10.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['2001:db8::1', false],
  ])('over TCP, %s is %s', (address, expected) => {
    expect(allows(address, 'tcp')).toBe(expected);
  });

  test('lets everybody in over a Unix socket', () => {
    expect(allows(undefined, 'unix')).toBe(true);
  });

  // A peer that resets right after its request has no address any more, but the request can still be read.
  test('refuses a TCP peer whose address is unknown', () => {
    expect(allows(undefined, 'tcp')).toBe(false);
  });
});

describe('a peer filter with allowFrom', () => {
  test.each<[allowFrom: string[], address: string, expected: boolean]>([
    [['10.0.0.5'], '10.0.0.5', true],
    [['10.0.0.5'], '10.0.0.6', false],
    [['10.0.0.5'], '::ffff:10.0.0.5', true],
    [['10.0.0.5'], '::ffff:a00:5', true],
    [['10.0.0.0/24'], '10.0.0.255', true],
    [['10.0.0.0/24'], '10.0.1.0', false],
    [['10.0.0.77/24'], '10.0.0.1', true],
    [['10.0.0.0/24'], '::ffff:10.0.0.9', true],
    [['0.0.0.0/0'], '203.0.113.9', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['2001:db8::/33'], '2001:db8:7fff::1', true],
    [['2001:db8::/33'], '2001:db8:8000::1', false],
    [['fd00::5'], 'fd00:0:0:0:0:0:0:5', true],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['::ffff:10.0.0.5'], '10.0.0.5', true],
    [['::ffff:10.0.0.0/104'], '10.9.9.9', true],
    [['::ffff:10.0.0.0/104'], '11.0.0.1', false],
    [['10.0.0.5', '10.0.0.7'], '10.0.0.7', true],
    // The list is exact: loopback must be named like everybody else.
    [['10.0.0.5'], '127.0.0.1', false],
    [['10.0.0.5', '127.0.0.1'], '127.0.0.1', true],
    [[], '127.0.0.1', false],
  ])('%j: %s is %s', (allowFrom, address, expected) => {
    expect(createPeerFilter(allowFrom)(address, 'tcp')).toBe(expected);
  });

  test('lets everybody in over a Unix socket, and nobody without an address over TCP', () => {
    const allows = createPeerFilter(['10.0.0.5']);
    expect(allows(undefined, 'unix')).toBe(true);
    expect(allows(undefined, 'tcp')).toBe(false);
  });

  test.each([
    '',
    'localhost',
    '*',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    ' 10.0.0.5',
    'fd00::/129',
    '[::1]',
  ])('refuses the entry %j with the remedy', async (entry) => {
    const error = await failureOf(() => createPeerFilter(['10.0.0.1', entry]));
    expect(error.code).toBe('ERR_SCGI_OPTION');
    expect(error.details).toMatchObject({ option: 'allowFrom', entry });
    expect(error.message).toContain('a block such as 10.0.0.0/24');
  });
});

describe('assertBindAllowed', () => {
  test.each(['0.0.0.0', '::', '10.0.0.1', '2001:db8::1', '::ffff:0.0.0.0'])(
    'refuses %s without allowFrom, with the remedy',
    async (host) => {
      const error = await failureOf(() => assertBindAllowed({ address: `${host}:4000`, host }, undefined));
      expect(error).toMatchObject({ name: 'LocalProtocolError', code: 'ERR_SCGI_ALLOW_FROM' });
      expect(error.message).toContain(`${host}:4000`);
      expect(error.message).toContain('set allowFrom to the addresses of your web servers');
    },
  );

  test('takes an empty list for no list', async () => {
    const error = await failureOf(() => assertBindAllowed({ address: '0.0.0.0:4000', host: '0.0.0.0' }, []));
    expect(error.code).toBe('ERR_SCGI_ALLOW_FROM');
  });

  test.each(['127.0.0.1', '127.0.0.53', '::1', undefined])('allows %s without allowFrom', (host) => {
    expect(() => assertBindAllowed({ address: 'any', host }, undefined)).not.toThrow();
  });

  test('allows any address with allowFrom', () => {
    expect(() => assertBindAllowed({ address: '0.0.0.0:4000', host: '0.0.0.0' }, ['10.0.0.5'])).not.toThrow();
  });
});
