// What a front end was configured to do, as the option says it, and which front end a request is taken for.

import { describe, expect, it } from 'vitest';
import {
  createEnv,
  type FrontEndOptions,
  isApache,
  isLighttpd,
  isNginx,
  plainFrontEnd,
  resolveFrontEnd,
} from '../../src/env/index.js';

describe('the option frontEnd', () => {
  it('lets the front end do nothing unless it is given', () => {
    expect(resolveFrontEnd(undefined)).toEqual(plainFrontEnd);
    expect(resolveFrontEnd({})).toEqual(plainFrontEnd);
  });

  it('takes one folder or several, and a name of Apache’s for the field', () => {
    expect(resolveFrontEnd({ sendfile: { root: '/srv' } })).toMatchObject({ sendfileRoots: ['/srv'] });
    const several = resolveFrontEnd({ sendfile: { root: ['/srv', '/var/www'], field: 'X-File' } });
    expect(several).toMatchObject({ sendfileRoots: ['/srv', '/var/www'], sendfileField: 'X-File' });
  });

  it.each<[string, FrontEndOptions]>([
    ['a field name with a blank', { localRedirect: 'X Local' }],
    ['a field name with a line end', { localRedirect: 'Location\r\nX' }],
    ['an empty field name', { localRedirect: '' }],
    ['a folder from the working directory on', { sendfile: { root: 'files' } }],
    ['a sendfile field that is none', { sendfile: { root: '/srv', field: 'a:b' } }],
    ['a location without a slash at its end', { accelRedirect: { '/protected': '/srv' } }],
    ['a location without a slash in front', { accelRedirect: { 'protected/': '/srv' } }],
    ['a location that begins with two slashes', { accelRedirect: { '//protected/': '/srv' } }],
    ['a location for a relative folder', { accelRedirect: { '/protected/': 'srv' } }],
  ])('refuses %s', (_name, options) => {
    expect(() => resolveFrontEnd(options)).toThrow(expect.objectContaining({ code: 'ERR_SCGI_OPTION' }));
  });
});

describe('a request is taken for one of', () => {
  const kinds = (...variables: string[]): string[] => {
    const env = createEnv(variables);
    const tests = { nginx: isNginx, apache: isApache, lighttpd: isLighttpd };
    return Object.entries(tests).flatMap(([name, test]) => (test(env) ? [name] : []));
  };

  it.each([
    ['nginx by its stock parameters', ['DOCUMENT_URI', '/'], ['nginx']],
    ['nginx by name', ['SERVER_SOFTWARE', 'nginx/1.22.1'], ['nginx']],
    [
      'Apache, whatever it calls itself',
      ['SCRIPT_FILENAME', 'proxy:scgi://localhost/', 'DOCUMENT_URI', '/'],
      ['apache'],
    ],
    ['lighttpd', ['SERVER_SOFTWARE', 'lighttpd/1.4.69', 'DOCUMENT_URI', '/'], ['lighttpd']],
    ['none, where nothing tells', ['GATEWAY_INTERFACE', 'CGI/1.1'], []],
    ['none, where a client claims it', ['HTTP_DOCUMENT_URI', '/', 'HTTP_SERVER_SOFTWARE', 'nginx'], []],
    ['none, for another name', ['SERVER_SOFTWARE', 'other/1', 'DOCUMENT_URI', '/'], []],
  ])('%s', (_name, variables, expected) => {
    expect(kinds(...variables)).toEqual(expected);
  });
});
