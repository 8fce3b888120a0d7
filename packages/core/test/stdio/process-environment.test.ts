// The environment of a process as octets, and whether it is that of a CGI program.

import { describe, expect, it } from 'vitest';
import { isCgiProgram, readEnvironment, splitEnvironment } from '../../src/stdio/process-environment.js';

describe('a process is a CGI program', () => {
  it.each([
    ['when the web server says so', { GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET' }, true],
    ['in any version', { GATEWAY_INTERFACE: 'CGI/1.2', REQUEST_METHOD: 'GET' }, true],
    ['not without a request', { GATEWAY_INTERFACE: 'CGI/1.1' }, false],
    ['not with another interface', { GATEWAY_INTERFACE: 'SSGI/1.0', REQUEST_METHOD: 'GET' }, false],
    ['not at a terminal', { TERM: 'xterm' }, false],
  ])('%s', (_, environment, expected) => expect(isCgiProgram(environment)).toBe(expected));
});

describe('the environment', () => {
  it('is split at the first equals sign', () => {
    expect(splitEnvironment('A=1\0B=x=y\0C=\0')).toEqual(['A', '1', 'B', 'x=y', 'C', '']);
  });

  it('leaves out what is no variable', () => {
    expect(splitEnvironment('novalue\0=noname\0\0A=1')).toEqual(['A', '1']);
  });

  it('has the first of two variables of one name, as getenv(3)', () => {
    expect(splitEnvironment('A=1\0A=2\0')).toEqual(['A', '1']);
  });

  it('is that of process.env, in octets, where the process was not started for a request', () => {
    expect(readEnvironment({ REQUEST_METHOD: 'GET', HTTP_X: 'é' })).toEqual(['REQUEST_METHOD', 'GET', 'HTTP_X', 'Ã©']);
  });
});
