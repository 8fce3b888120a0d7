// The environment variables of sd_listen_fds(3). Real descriptors: see processes.test.ts.
import { describe, expect, test } from 'vitest';
import { takeSystemdSockets } from '../../src/lifecycle/systemd.js';
import { failureOf } from './support.js';

const pid = 4711;

describe('takeSystemdSockets', () => {
  test('counts descriptors from 3 and calls the nameless unknown', () => {
    expect(takeSystemdSockets({ LISTEN_PID: '4711', LISTEN_FDS: '2' }, pid)).toEqual([
      { fd: 3, name: 'unknown' },
      { fd: 4, name: 'unknown' },
    ]);
  });

  test('names them in order', () => {
    const environment = { LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:admin' };
    expect(takeSystemdSockets(environment, pid)).toEqual([
      { fd: 3, name: 'web' },
      { fd: 4, name: 'admin' },
    ]);
  });

  test('removes its variables, and only those, so that children do not inherit them', () => {
    const environment: NodeJS.ProcessEnv = {
      LISTEN_PID: '4711',
      LISTEN_FDS: '1',
      LISTEN_FDNAMES: 'web',
      LISTEN_PIDFDID: '9',
      SCGI_BIND: '4000',
    };
    takeSystemdSockets(environment, pid);
    expect(environment).toEqual({ SCGI_BIND: '4000' });
    expect(takeSystemdSockets(environment, pid)).toBeUndefined();
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['nothing is set', {}],
    ['only the count is set', { LISTEN_FDS: '1' }],
    ['only the receiver is set', { LISTEN_PID: '4711' }],
    ['another process is meant', { LISTEN_PID: '4712', LISTEN_FDS: '1' }],
  ])('finds no sockets and changes nothing when %s', (_, environment) => {
    const before = { ...environment };
    expect(takeSystemdSockets(environment, pid)).toBeUndefined();
    expect(environment).toEqual(before);
  });

  test.each<[string, NodeJS.ProcessEnv]>([
    ['LISTEN_PID', { LISTEN_PID: '', LISTEN_FDS: '1' }],
    ['LISTEN_PID', { LISTEN_PID: '4711x', LISTEN_FDS: '1' }],
    ['LISTEN_FDS', { LISTEN_PID: '4711', LISTEN_FDS: '' }],
    ['LISTEN_FDS', { LISTEN_PID: '4711', LISTEN_FDS: '0' }],
    ['LISTEN_FDS', { LISTEN_PID: '4711', LISTEN_FDS: '-1' }],
    ['LISTEN_FDS', { LISTEN_PID: '4711', LISTEN_FDS: '1.5' }],
    ['LISTEN_FDS', { LISTEN_PID: '4711', LISTEN_FDS: '99999999' }],
    ['LISTEN_FDNAMES', { LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web' }],
    ['LISTEN_FDNAMES', { LISTEN_PID: '4711', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web:admin' }],
  ])('refuses a malformed %s: %j', async (variable, environment) => {
    const error = await failureOf(() => takeSystemdSockets(environment, pid));
    expect(error.code).toBe('ERR_SCGI_BIND');
    expect(error.details['variable']).toBe(variable);
    expect(error.message).toContain('unset LISTEN_PID and LISTEN_FDS');
  });
});
