import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createEnv,
  readAuthority,
  readRequest,
  resolveBodyLength,
  splitBasePath,
  variablesFromHttp,
} from '../../src/env/index.js';
import { ScgiError } from '../../src/protocol/errors.js';

const factNames =
  'CONTENT_LENGTH REQUEST_METHOD REQUEST_URI SCRIPT_NAME PATH_INFO QUERY_STRING SCRIPT_FILENAME REDIRECT_URL REDIRECT_REQUEST_METHOD';
const peerNames = 'SERVER_SOFTWARE SERVER_NAME SERVER_PORT REMOTE_ADDR HTTPS CONTENT_TYPE';
const fieldNames = 'HTTP_HOST HTTP_CONTENT_LENGTH HTTP_CONNECTION HTTP_UPGRADE HTTP_COOKIE HTTP_X_Y http_x_y';
const knownName = fc.constantFrom(...`${factNames} ${peerNames} ${fieldNames} __proto__`.split(' '));
const knownValue = fc.constantFrom(
  '',
  '0',
  '5',
  'GET',
  '/',
  '/a b',
  'http://h/p?q',
  '*',
  'proxy:x',
  'upgrade',
  'h:1',
  '%',
);
const anyText = fc.string({ unit: 'binary' });
const variable = fc.tuple(
  fc.oneof(
    knownName,
    anyText,
    anyText.map((text) => `HTTP_${text}`),
  ),
  fc.oneof(knownValue, anyText),
);
const anyVariables = fc.array(variable, { maxLength: 30 }).map((pairs) => pairs.flat());

const token = fc.string({ unit: fc.constantFrom(...'abcxyzABC019!#$%&*+-.^`|~'), minLength: 1, maxLength: 12 });
const visible = fc.constantFrom(...'aZ09-._~!$&()*+,;=:@/%?#\xc3\xa9\xff');
const anyTarget = fc.string({ unit: visible, maxLength: 30 }).map((rest) => `/${rest}`);
// %00 is refused wherever it stands: no variable can hold a NUL.
const target = anyTarget.filter((path) => !path.includes('%00'));
const speakableTarget = target.filter((path) => !/%0[ad]/i.test(path.split('?', 1)[0] ?? ''));
const value = fc
  .string({ unit: fc.constantFrom(...'aZ09 \t,;="/\xe9\xff'), maxLength: 30 })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));

function throwsOnlyScgiErrors(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ScgiError)) throw error;
  }
}

describe('whatever the variables', () => {
  it('nothing but ScgiError is thrown', () => {
    fc.assert(
      fc.property(anyVariables, (variables) => {
        throwsOnlyScgiErrors(() => resolveBodyLength(variables));
        throwsOnlyScgiErrors(() => readAuthority(readRequest(variables, 0)));
        createEnv(variables);
      }),
      { numRuns: 500 },
    );
  });

  it('the parts of a request that is read fit together', () => {
    const name = fc.constantFrom(...`SCRIPT_NAME ${peerNames} ${fieldNames}`.split(' '));
    const text = fc.oneof(value, fc.constantFrom('/a', '/a/b', '/', 'upgrade', 'a.b:80', '1.2.3.400', '[::1]', '80'));
    fc.assert(
      fc.property(target, fc.array(fc.tuple(name, text), { maxLength: 20 }), fc.nat(), (path, pairs, bodyLength) => {
        const request = readRequest(['REQUEST_METHOD', 'GET', 'REQUEST_URI', `/a${path}`, ...pairs.flat()], bodyLength);
        expect(request.target).toBe(`/a${path}`);
        expect(request.target.startsWith(request.scriptName)).toBe(true);
        expect(splitBasePath(request.target, request.scriptName)).toBeDefined();
        expect(URL.canParse(`http://${readAuthority(request)}/`)).toBe(true);
        expect(request.fields.indexOf('host')).toBe(request.fields.lastIndexOf('host'));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a request that goes through a gateway', () => {
  const droppedNames = /^(?:connection|content-length|expect|keep-alive|proxy|te|trailer|upgrade)$/i;

  it('arrives as it was sent', () => {
    const fields = fc.uniqueArray(
      fc.tuple(
        token.filter((name) => !droppedNames.test(name)),
        value,
      ),
      {
        selector: ([name]) => name.toLowerCase(),
      },
    );
    fc.assert(
      fc.property(
        token,
        speakableTarget,
        fields,
        fc.boolean(),
        fc.nat(0xffff),
        (method, path, pairs, encrypted, remotePort) => {
          const sent = { method, target: path, fields: pairs.flat(), encrypted, remotePort, remoteAddress: '::1' };
          expect(readRequest(variablesFromHttp(sent), 0)).toMatchObject({
            ...sent,
            fields: pairs.flatMap(([name, text]) => [name.toLowerCase(), text]),
            scriptName: '',
          });
        },
      ),
    );
  });

  it('is refused where its decoded path would end a variable or a line, and nowhere else', () => {
    fc.assert(
      fc.property(anyTarget, fc.constantFrom('%00', '%0a', '%0A', '%0d', '%0D'), fc.nat(31), (path, escape, at) => {
        const bad = `/${path.slice(0, at)}${escape}${path.slice(at)}`;
        const read = (): string[] => variablesFromHttp({ method: 'GET', target: bad, fields: [] });
        if (/%0[0ad]/i.test(bad.split('?', 1)[0] ?? '')) {
          expect(read).toThrow(expect.objectContaining({ code: 'ERR_SCGI_REQUEST_TARGET', statusHint: 400 }));
        } else expect(read()).toContain(bad);
      }),
    );
  });

  it('splits where it is mounted, and the two halves are the target again', () => {
    fc.assert(
      fc.property(speakableTarget, (path) => {
        const mounted = `/app${path}`;
        expect(splitBasePath(mounted, '/app')).toBe(path);
        const variables = variablesFromHttp({ method: 'GET', target: mounted, fields: [], scriptName: '/app' });
        expect(readRequest(variables, 0)).toMatchObject({ target: mounted, scriptName: '/app' });
      }),
    );
  });

  it('has no REQUEST_URI that its path and query could not be made of', () => {
    const canonical = fc
      .string({ unit: fc.constantFrom(...'aZ09-._~!$&()*+,;=:@/'), maxLength: 30 })
      .map((rest) => `/${rest}`);
    fc.assert(
      fc.property(canonical, (path) => {
        const variables = variablesFromHttp({ method: 'GET', target: `${path}?q=%20`, fields: [] });
        const at = variables.indexOf('REQUEST_URI');
        expect(readRequest(variables.toSpliced(at, 2), 0).target).toBe(`${path}?q=%20`);
      }),
    );
  });
});
