// From a request to what is run: command line, environment, and the application's own variables.

import { ExtraVariables } from '@scgi/core/relay';
import type { ExtraVariableOptions } from '@scgi/core/relay';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { orderRun } from '../../src/runner/order-run.js';
import type { ProgramFinder } from '../../src/runner/program.js';
import { bareFolder } from '../../src/runner/program.js';
import type { RunOrder } from '../../src/runner/run.js';
import type { RunRequest } from '../../src/runner/runner.js';

afterEach(() => void vi.unstubAllEnvs());

interface Given {
  readonly target?: string;
  readonly method?: string;
  readonly contentLength?: number;
  readonly interpreter?: readonly string[];
  readonly fields?: readonly string[];
  readonly extra?: ExtraVariableOptions<string>;
  readonly file?: string;
}

function order(given: Given = {}): RunOrder {
  const { target = '/cgi/a', method = 'GET', contentLength, interpreter, fields = [], extra = {} } = given;
  const { file = '/srv/cgi/a' } = given;
  const finder: ProgramFinder = {
    find: (scriptName, path) => ({
      file,
      scriptName: `${scriptName}/a`,
      pathInfo: path.slice(2),
      documentRoot: '/srv/cgi',
      interpreter,
    }),
  };
  const request: RunRequest<string> = {
    facts: { method, target, fields, scriptNameLength: 4 },
    mounted: { target, scriptNameLength: 4 },
    scgiEnv: undefined,
    contentLength,
    redirectedFrom: undefined,
    incoming: 'the request',
  };
  const environment = { searchPath: '/bin', passAuthorization: false, vouched: [] };
  const made = orderRun({ finder, environment, extraVariables: new ExtraVariables(extra) }, request);
  if (made === undefined || made === bareFolder) throw new Error('there is a program');
  return made;
}

function variables({ command }: RunOrder): Record<string, string> {
  const names = command.env.filter((_, index) => index % 2 === 0);
  // Of a name that comes twice the system lets programs choose: some take the first, some the last.
  expect(names).toEqual([...new Set(names)]);
  return Object.fromEntries(names.map((name, index) => [name, command.env[index * 2 + 1] ?? '']));
}

describe('the command', () => {
  test('is the program, in its own folder', () => {
    expect(order().command).toMatchObject({ file: '/srv/cgi/a', args: [], folder: '/srv/cgi', hasInput: false });
  });

  test('has input if there is a body', () => {
    expect(order({ contentLength: 1 }).command.hasInput).toBe(true);
    expect(order({ contentLength: 0 }).command.hasInput).toBe(false);
  });

  test('has the words of an indexed query', () => {
    expect(order({ target: '/cgi/a?one+two%20three' }).command.args).toEqual(['one', 'two three']);
    expect(order({ target: '/cgi/a?one+two', method: 'POST' }).command.args).toEqual([]);
    expect(order({ target: '/cgi/a?a=b' }).command.args).toEqual([]);
  });

  test('is the interpreter, with its own arguments and the file, and no words of a query (CVE-2012-1823)', () => {
    const { command, file } = order({ interpreter: ['/usr/bin/php-cgi', '-q'], target: '/cgi/a?-s+-d+x' });
    expect(command).toMatchObject({ file: '/usr/bin/php-cgi', args: ['-q', '/srv/cgi/a'], folder: '/srv/cgi' });
    expect(file).toBe('/srv/cgi/a');
  });

  test('speaks HTTP if its name says so', () => {
    expect(order({ file: '/srv/cgi/nph-a' }).isNph).toBe(true);
    expect(order({ file: '/srv/nph-cgi/a' }).isNph).toBe(false);
  });
});

describe('the environment of this process', () => {
  test('stays here', () => {
    vi.stubEnv('DATABASE_PASSWORD', 'swordfish');
    vi.stubEnv('HTTP_PROXY', 'http://swordfish');
    expect(JSON.stringify(order().command.env)).not.toContain('swordfish');
  });

  test('gives what inheritEnvironment names, and nothing that is there already', () => {
    vi.stubEnv('DATABASE_PASSWORD', 'swordfish');
    vi.stubEnv('LANG', 'C.UTF-8');
    vi.stubEnv('PATH', '/opt/bin');
    const env = variables(order({ extra: { inheritEnvironment: ['LANG', 'PATH', 'NOT_THERE'] } }));
    expect(env).toMatchObject({ LANG: 'C.UTF-8', PATH: '/bin' });
    expect(env).not.toHaveProperty('DATABASE_PASSWORD');
    expect(env).not.toHaveProperty('NOT_THERE');
  });
});

describe('env', () => {
  test('wins over all others, in any case of letters', () => {
    vi.stubEnv('LANG', 'C.UTF-8');
    const fields = ['X-User', 'client'];
    const env = { SCRIPT_FILENAME: '/elsewhere', PATH: '/opt/bin', LANG: 'de', HTTP_X_USER: 'me', server_name: 'x' };
    const made = variables(order({ fields, extra: { env, inheritEnvironment: ['LANG'] } }));
    expect(made).toMatchObject(env);
    expect(made).not.toHaveProperty('SERVER_NAME');
  });

  test('may be a function of the request', () => {
    const env = (request: string): Record<string, string> => ({ REQUEST: request });
    expect(variables(order({ extra: { env } }))['REQUEST']).toBe('the request');
  });

  test('is octets, as UTF-8', () => {
    expect(variables(order({ extra: { env: { NAME: 'Zoë' } } }))['NAME']).toBe('Zo\xc3\xab');
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['gives a name that cannot be', () => ({ 'A B': 'x' })],
    ['gives HTTP_PROXY', () => ({ http_proxy: 'x' })],
  ])('that %s is a 500', (_, env) => {
    expect(() => order({ extra: { env } })).toThrow(
      expect.objectContaining({ code: 'ERR_SCGI_OPTION', statusHint: 500 }),
    );
  });
});
