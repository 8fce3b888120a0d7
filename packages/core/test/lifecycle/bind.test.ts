// What may be written as a bind, and where a server looks when nothing is written.
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { parseBind, resolveTargets, type BindSpec } from '../../src/lifecycle/bind.js';
import { failureOf } from './support.js';

const tcp = (host: string, port: number, backlog = 511) => ({ kind: 'tcp', host, port, backlog });
const unix = (path: string, options: object = {}) => ({
  kind: 'unix',
  path,
  mode: 0o660,
  user: undefined,
  group: undefined,
  backlog: 511,
  ...options,
});

describe('parseBind understands', () => {
  test.each<[BindSpec, object]>([
    [4000, tcp('127.0.0.1', 4000)],
    [0, tcp('127.0.0.1', 0)],
    ['4000', tcp('127.0.0.1', 4000)],
    ['0', tcp('127.0.0.1', 0)],
    ['65535', tcp('127.0.0.1', 65535)],
    ['127.0.0.2:4000', tcp('127.0.0.2', 4000)],
    ['localhost:4000', tcp('localhost', 4000)],
    ['app-1.example.test:4000', tcp('app-1.example.test', 4000)],
    ['0.0.0.0:4000', tcp('0.0.0.0', 4000)],
    ['[::1]:4000', tcp('::1', 4000)],
    ['[::]:4000', tcp('::', 4000)],
    ['[fe80::1%eth0]:4000', tcp('fe80::1%eth0', 4000)],
    ['127.0.0.1:4000?backlog=64', tcp('127.0.0.1', 4000, 64)],
    [{ port: 4000 }, tcp('127.0.0.1', 4000)],
    [{ host: '::1', port: 4000, backlog: 1 }, tcp('::1', 4000, 1)],
    ['unix:/run/app.sock', unix('/run/app.sock')],
    ['unix:app.sock', unix('app.sock')],
    ['unix:./@app', unix('./@app')],
    ['unix:/run/a b%20:1.sock', unix('/run/a b%20:1.sock')],
    ['unix:/run/app.sock?mode=0600', unix('/run/app.sock', { mode: 0o600 })],
    ['unix:/run/app.sock?mode=666', unix('/run/app.sock', { mode: 0o666 })],
    [
      'unix:/run/app.sock?mode=0660&user=app&group=www-data&backlog=2048',
      unix('/run/app.sock', { user: 'app', group: 'www-data', backlog: 2048 }),
    ],
    ['unix:/run/app.sock?user=0&group=33', unix('/run/app.sock', { user: 0, group: 33 })],
    [{ path: '/run/what?.sock', mode: 0o600, group: 33 }, unix('/run/what?.sock', { mode: 0o600, group: 33 })],
    ['fd:3', { kind: 'fd', fd: 3 }],
    ['fd:0', { kind: 'fd', fd: 0 }],
    [{ fd: 7 }, { kind: 'fd', fd: 7 }],
    ['systemd', { kind: 'systemd', name: undefined }],
    ['systemd:web', { kind: 'systemd', name: 'web' }],
  ])('%j', (spec, expected) => {
    expect(parseBind(spec)).toEqual(expected);
  });
});

describe('parseBind refuses, with the remedy in the message,', () => {
  const allForms = 'unix:/path?mode=0660';
  test.each<[BindSpec, problem: string, remedy: string]>([
    ['', 'not a number from 0 to 65535', allForms],
    ['app', 'not a number from 0 to 65535', allForms],
    ['65536', 'not a number from 0 to 65535', allForms],
    ['04000', 'not a number from 0 to 65535', allForms],
    ['+4000', 'not a number from 0 to 65535', allForms],
    ['4e3', 'not a number from 0 to 65535', allForms],
    ['0x10', 'not a number from 0 to 65535', allForms],
    [' 4000', 'not a number from 0 to 65535', allForms],
    ['-1', 'not a number from 0 to 65535', allForms],
    ['127.0.0.1:', 'not a number from 0 to 65535', allForms],
    [-1, 'not a number from 0 to 65535', allForms],
    [4000.5, 'not a number from 0 to 65535', allForms],
    [Number.NaN, 'not a number from 0 to 65535', allForms],
    [':4000', 'the host is missing', '0.0.0.0:4000 for every interface'],
    ['*:4000', 'the host is missing', '127.0.0.1:4000'],
    [':::4000', 'needs brackets', '[::1]:4000'],
    ['::1', 'needs brackets', '[::1]:4000'],
    ['fd00::5:4000', 'needs brackets', '[::1]:4000'],
    ['[::1', 'needs brackets', '[::1]:4000'],
    ['[::1]', 'needs brackets', '[::1]:4000'],
    ['[127.0.0.1]:4000', 'not a name or an address', allForms],
    ['http://localhost:4000', 'a bind is not a URL', 'host:4000'],
    ['tcp://[::]:4000', 'a bind is not a URL', 'host:4000'],
    ['my host:4000', 'not a name or an address', allForms],
    ['localhost:4000?mode=0660', 'unknown option mode', 'backlog'],
    ['127.0.0.1:4000?backlog=0', 'backlog is not from 1 to 65535', allForms],
    ['/run/app.sock', 'needs unix: before it', 'unix:/run/app.sock'],
    ['./app.sock', 'needs unix: before it', 'unix:./app.sock'],
    ['unix:', 'the path is empty', allForms],
    ['unix:?mode=0660', 'the path is empty', allForms],
    ['unix:///run/app.sock', 'not a URL', 'unix:/run/app.sock'],
    ['unix://app.sock', 'not a URL', 'unix:/run/app.sock'],
    ['unix:/run/app/', 'names a folder', 'unix:/run/app/app.sock'],
    ['unix:@app', 'an abstract socket has no permissions', 'unix:./@name'],
    ['unix:\0app', 'an abstract socket has no permissions', 'unix:/run/app.sock'],
    ['unix:/run/a\0b', 'holds a NUL', allForms],
    ['unix:/run/app.sock?mode=0980', 'mode is not octal', 'mode=0660'],
    ['unix:/run/app.sock?mode=rw', 'mode is not octal', 'mode=0660'],
    ['unix:/run/app.sock?mode=1777', 'mode is not from 0 to 0o777', '0o660'],
    ['unix:/run/app.sock?perm=0660', 'unknown option perm', 'mode, user, group, backlog'],
    ['unix:/run/app.sock?', 'unknown option', 'mode, user, group, backlog'],
    ['unix:/run/app.sock?mode=0660&mode=0666', 'mode is given twice', allForms],
    ['unix:/run/app.sock?group=', 'group has no value', allForms],
    ['unix:/run/app.sock?group', 'group has no value', allForms],
    ['unix:/run/app.sock?backlog=many', 'backlog is not from 1 to 65535', allForms],
    [{ path: '/run/app.sock', mode: 660 }, 'mode is not from 0 to 0o777', '0o660'],
    [{ path: '' }, 'the path is empty', allForms],
    ['fd:', 'not a number from 0 up', 'fd:3'],
    ['fd:-1', 'not a number from 0 up', 'fd:3'],
    [{ fd: 1.5 }, 'not a number from 0 up', 'fd:3'],
    ['systemd:', 'is empty', 'systemd:name'],
  ])('%j', async (spec, problem, remedy) => {
    const error = await failureOf(() => parseBind(spec));
    expect(error).toMatchObject({ name: 'LocalProtocolError', code: 'ERR_SCGI_BIND' });
    expect(error.message).toContain(problem);
    expect(error.message).toContain(remedy);
  });

  test('the given value is part of the message', async () => {
    const error = await failureOf(() => parseBind(':::4000'));
    expect(error.message).toContain('bind ":::4000"');
  });

  // What JavaScript callers can pass in spite of the types.
  test.each(['{"host":"::1","prot":4000}', '{"path":"/run/app.sock","perm":432}', '{}', '[]', 'null', 'true'])(
    'an object of an unknown shape: %s',
    async (json) => {
      const error = await failureOf(() => parseBind(JSON.parse(json)));
      expect(error.code).toBe('ERR_SCGI_BIND');
    },
  );
});

describe('a connection that is open', () => {
  test('is nothing to listen on', () => {
    const connection = new Socket();
    expect(parseBind({ connection })).toEqual({ kind: 'connection', socket: connection });
  });

  test('has to be a socket', async () => {
    const error = await failureOf(() => parseBind(JSON.parse('{"connection":3}')));
    expect(error.message).toContain('no net.Socket');
  });
});

describe('resolveTargets', () => {
  const pid = 4711;
  const activated = (count: number, names?: string) => ({
    LISTEN_PID: String(pid),
    LISTEN_FDS: String(count),
    ...(names === undefined ? {} : { LISTEN_FDNAMES: names }),
  });

  test('takes one bind or several, in their order', () => {
    expect(resolveTargets(4000, {}, pid)).toEqual([tcp('127.0.0.1', 4000)]);
    expect(resolveTargets(['unix:/run/app.sock', 4000], {}, pid)).toEqual([
      unix('/run/app.sock'),
      tcp('127.0.0.1', 4000),
    ]);
  });

  test('refuses an empty list', async () => {
    const error = await failureOf(() => resolveTargets([], {}, pid));
    expect(error.message).toContain('the list is empty');
  });

  test('falls back to 127.0.0.1:4000', () => {
    expect(resolveTargets(undefined, {}, pid)).toEqual([tcp('127.0.0.1', 4000)]);
    expect(resolveTargets(undefined, { SCGI_BIND: ' ' }, pid)).toEqual([tcp('127.0.0.1', 4000)]);
  });

  test('reads the comma separated list in SCGI_BIND', () => {
    const environment = { SCGI_BIND: '[::1]:4000, unix:/run/app.sock?mode=0600' };
    expect(resolveTargets(undefined, environment, pid)).toEqual([
      tcp('::1', 4000),
      unix('/run/app.sock', { mode: 0o600 }),
    ]);
  });

  test('refuses an empty item in SCGI_BIND', async () => {
    const error = await failureOf(() => resolveTargets(undefined, { SCGI_BIND: '4000,,4001' }, pid));
    expect(error.code).toBe('ERR_SCGI_BIND');
  });

  test('prefers the sockets of systemd to SCGI_BIND', () => {
    const environment = { ...activated(2), SCGI_BIND: '5000' };
    expect(resolveTargets(undefined, environment, pid)).toEqual([
      { kind: 'fd', fd: 3 },
      { kind: 'fd', fd: 4 },
    ]);
  });

  test('prefers an explicit bind to everything, and leaves the sockets of systemd alone', () => {
    const environment = { ...activated(1), SCGI_BIND: '5000' };
    expect(resolveTargets(6000, environment, pid)).toEqual([tcp('127.0.0.1', 6000)]);
    expect(environment.LISTEN_FDS).toBe('1');
  });

  test('falls back to SCGI_BIND when the sockets are for another process', () => {
    const environment = { ...activated(1), LISTEN_PID: '1', SCGI_BIND: '5000' };
    expect(resolveTargets(undefined, environment, pid)).toEqual([tcp('127.0.0.1', 5000)]);
  });

  test('gives the sockets with a name to systemd:name, several selectors sharing one set', () => {
    const environment = activated(3, 'web:admin:web');
    expect(resolveTargets(['systemd:web', 4000, 'systemd:admin'], environment, pid)).toEqual([
      { kind: 'fd', fd: 3 },
      { kind: 'fd', fd: 5 },
      tcp('127.0.0.1', 4000),
      { kind: 'fd', fd: 4 },
    ]);
  });

  test('understands systemd in SCGI_BIND', () => {
    const environment = { ...activated(1, 'web'), SCGI_BIND: 'systemd:web' };
    expect(resolveTargets(undefined, environment, pid)).toEqual([{ kind: 'fd', fd: 3 }]);
  });

  test('says which names there are when systemd:name matches none', async () => {
    const error = await failureOf(() => resolveTargets('systemd:api', activated(2, 'web:admin'), pid));
    expect(error.message).toContain('web, admin');
    expect(error.message).toContain('FileDescriptorName=api');
  });

  test('says how to start the unit when systemd passed nothing', async () => {
    const error = await failureOf(() => resolveTargets('systemd', {}, pid));
    expect(error.code).toBe('ERR_SCGI_BIND');
    expect(error.message).toContain('ExecStart= must run node itself');
  });
});
