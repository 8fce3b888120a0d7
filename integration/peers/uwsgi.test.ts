// A real uWSGI as backend: a Python application by each of its SCGI sockets, and uWSGI's own limits and habits.

import { fileURLToPath } from 'node:url';
import { scgi } from '@scgi/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/deadline.js';
import { describeWith } from '../support/front-ends.js';
import { startUwsgi, type Uwsgi } from '../support/uwsgi.js';
import { kindsOfWay, openWay, waysTo, type Way } from './support/ways.js';
import { testWsgiApplication } from './support/wsgi-behaviours.js';

const application = fileURLToPath(new URL('backends/wsgi_app.py', import.meta.url));

describeWith('uwsgi', 'uWSGI', () => {
  let uwsgi: Uwsgi;

  beforeAll(async () => {
    uwsgi = await startUwsgi({ application });
  });
  afterAll(async () => void (await uwsgi?.stop()));

  const addresses = ['tcpAddress', 'unixAddress', 'nphAddress'] as const;
  describe.each(addresses)('at its %s', (address) => {
    describe.each(waysTo(address, addresses))('%s', (kind) => {
      let way: Way;
      beforeAll(async () => {
        way = await openWay(kind, uwsgi[address]);
      });
      testWsgiApplication(() => way);
    });
  });

  test('begins with Status, or by its socket for non-parsed headers with a status line', async () => {
    const path = '/cookies';
    const heads = [uwsgi.unixAddress, uwsgi.nphAddress].map(async (address) => {
      const text = await (await scgi(address, { path, raw: true })).text();
      return text.slice(0, text.indexOf('\r\n'));
    });
    expect(await Promise.all(heads)).toEqual(['Status: 201 Made Up', 'HTTP/1.1 201 Made Up']);
  });

  describe.each(kindsOfWay)('resets what it has not read, %s', (kind) => {
    test('and an answer without Content-Length is not known to be whole', async () => {
      const errors: string[] = [];
      const way = await openWay(kind, uwsgi.unixAddress, errors);
      const call = way.ask('/ignore-without-length', { method: 'POST', body: Buffer.alloc(100_000) });
      await expect(call.then((response) => response.text())).rejects.toThrow();
    });
  });

  describe.each(['unixAddress', 'nphAddress'] as const)('at its %s, as for its limits', (address) => {
    const ask = async (env: Record<string, string>): Promise<number> => {
      const response = await scgi(uwsgi[address], { env });
      await response.bytes();
      return response.status;
    };
    const many = (count: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`V${index}`, '']));

    test('takes 3,500 bytes and 64 variables more than a request has of itself', async () => {
      expect(await ask({ LARGE: 'x'.repeat(3500) })).toBe(200);
      expect(await ask(many(64))).toBe(200);
    });

    test('resets a head beyond its buffer-size of 4,096 bytes, which is a typed error', async () => {
      await expect(ask({ LARGE: 'x'.repeat(4096) })).rejects.toMatchObject({ code: 'ERR_SCGI_BACKEND_RESET' });
      await until(() => uwsgi.output().includes('invalid SCGI request size'), 5_000, 'the line in its log');
      expect(await ask({})).toBe(200);
    });

    test('closes without an answer on too many variables, which is a typed error', async () => {
      await expect(ask(many(130))).rejects.toMatchObject({ code: 'ERR_SCGI_RESPONSE_EMPTY' });
      await until(() => uwsgi.output().includes('max vec size reached'), 5_000, 'the line in its log');
      expect(await ask({})).toBe(200);
    });
  });
});

describeWith('uwsgi', 'uWSGI with a larger buffer-size', () => {
  test('takes a larger head', async () => {
    await using uwsgi = await startUwsgi({ application, bufferSize: 32_768 });
    const response = await scgi(uwsgi.tcpAddress, { env: { LARGE: 'x'.repeat(30_000) } });
    expect(response.status).toBe(200);
    expect((await response.text()).length).toBeGreaterThan(30_000);
  });
});
