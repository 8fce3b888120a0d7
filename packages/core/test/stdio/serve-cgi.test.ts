// serveCgi as web servers start it: processes of their own, on every kind of standard streams.

import { constants } from 'node:os';
import { once } from 'node:events';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../serve/support.js';
import { compileSources } from '../support/compiled.js';
import { within } from '../support/raw-client.js';
import { startCgi, wirings, type CgiRun, type CgiStart } from './support/cgi-run.js';

const deadlineMs = 20_000;
vi.setConfig({ testTimeout: 3 * deadlineMs }); // Starting a process takes a while on a busy machine.
const core = compileSources();
const run = (start: Omit<CgiStart, 'core'>): Promise<CgiRun> => startCgi({ core, ...start });

async function printed(cgi: CgiRun, text: string): Promise<void> {
  while (!cgi.errors().includes(text)) {
    await within(`${text} on the standard error`, once(cgi.child.stderr ?? expect.unreachable(), 'data'), deadlineMs);
  }
}

/** The most memory that the program has had. */
function kibibytesOf(text: string): number {
  const [, kibibytes] = /([0-9]+) KiB/.exec(text) ?? [];
  return Number(kibibytes);
}

/** A module for cgi-app.mjs that serves something else. */
function moduleWith(body: string): string {
  const path = join(temporaryFolder(), 'module.mjs');
  writeFileSync(path, `export default async (serveCgi) => {\n${body}\n};\n`);
  return path;
}

describe.each(wirings)('with its standard streams on %s', (wiring) => {
  it('answers and ends', async () => {
    const cgi = await run({ wiring, path: '/hello' });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toBe('Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    expect(cgi.errors()).toBe('');
  });

  it('reads its body, every octet of it', async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const cgi = await run({ wiring, path: '/collect', body });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text().slice(-300_000)).toBe(body.toString('latin1'));
  });

  it('keeps what the application prints out of the answer', async () => {
    const cgi = await run({ wiring, path: '/print' });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).not.toContain('console.log');
    expect(cgi.text()).not.toContain('process.stdout');
    expect(cgi.errors()).toContain('printed by console.log\nprinted to process.stdout\n');
  });

  it('answers 400 where the body ends too early', async () => {
    const cgi = await run({ wiring, path: '/collect', body: 'hell', length: 5 });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toMatch(/^Status: 400 Bad Request\r\n[^]*ERR_SCGI_PREMATURE_EOF/);
  });

  it('does not wait for what comes behind the body', async () => {
    const open = !wiring.includes('file');
    const cgi = await run({ wiring, path: '/collect', body: 'hello, world', length: 5, open });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toMatch(/\r\n\r\nhello$/);
  });

  it('streams a large body in and a large answer out', async () => {
    const body = Buffer.alloc(8_000_000, 'b');
    const cgi = await run({ wiring, path: '/echo', body });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text().length).toBe('Status: 200 OK\r\n\r\n'.length + body.length);
  });

  it('gives a large answer whole beside a body that it declines', async () => {
    const cgi = await run({ wiring, path: '/large?64', body: Buffer.alloc(4_000_000) });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toMatch(/a{4194304}$/);
  });
});

describe.each(['pipes', 'one socket', 'file and pipe'] as const)('on %s', (wiring) => {
  it('keeps even what is written to descriptor 1 out of the answer', async () => {
    const cgi = await run({ wiring, path: '/print' });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toBe('Status: 200 OK\r\nContent-Length: 5\r\n\r\nhello');
  });

  it.runIf(process.platform === 'linux')('has it in the log, where that can be opened again', async () => {
    const log = join(temporaryFolder(), 'log');
    const module = moduleWith(`
      const { writeSync, openSync, closeSync } = await import('node:fs');
      closeSync(2);
      openSync(${JSON.stringify(log)}, 'a');
      await serveCgi((_req, res) => (writeSync(1, 'printed to descriptor 1'), res.end('hello')));`);
    const cgi = await run({ wiring, path: '/', module });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toMatch(/\r\n\r\nhello$/);
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(log, 'utf8')).toBe('printed to descriptor 1');
  });
});

describe.each(['pipes', 'one socket', 'two sockets'] as const)('while the web server waits, on %s', (wiring) => {
  it('sends what is there', async () => {
    const cgi = await run({ wiring, path: '/begin' });
    while (!cgi.text().endsWith('begun')) {
      await within('the begin', once(cgi.output ?? expect.unreachable(), 'data'), deadlineMs);
    }
    cgi.child.kill('SIGTERM');
    expect(await cgi.ended()).toBe(128 + constants.signals.SIGTERM);
  });

  it('lets the application know that it is to end, and says so with its code', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const cgi = await run({ wiring, path: '/silent' });
      await printed(cgi, 'waits');
      cgi.child.kill(signal);
      expect(await cgi.ended()).toBe(128 + constants.signals[signal]);
      expect(cgi.errors()).toBe('waits\nrequest aborted\nrequest close\n');
      expect(cgi.text()).toBe('');
    }
  });

  it('lets the application know that the web server has gone', async () => {
    const cgi = await run({ wiring, path: '/endless', held: true });
    await within('the answer', once(cgi.output ?? expect.unreachable(), 'readable'), deadlineMs);
    cgi.output?.destroy();
    expect(await cgi.ended()).toBe(1);
    expect(cgi.errors()).toContain('request aborted\n');
    expect(cgi.errors()).toContain('response close\n');
    expect(cgi.errors()).not.toContain('EPIPE');
    expect(cgi.errors()).not.toContain('    at ');
  });

  it('holds little of a large body, and little of a large answer', async () => {
    const small = await run({ wiring, path: '/count', body: 'x' });
    const up = await run({ wiring, path: '/count', body: Buffer.alloc(256 * 1024 * 1024) });
    const down = await run({ wiring, path: '/large?2048' });
    for (const cgi of [small, up, down]) expect(await cgi.ended()).toBe(0);
    expect(up.text()).toContain('\r\n\r\n268435456 octets');
    expect(down.text()).toHaveLength('Status: 200 OK\r\n\r\n'.length + 128 * 1024 * 1024);
    const least = kibibytesOf(small.text());
    // V8 lets 64 MiB of buffers that nobody holds any more come together before it collects them.
    expect(kibibytesOf(up.text()) - least).toBeLessThan(96 * 1024);
    expect(kibibytesOf(down.errors()) - least).toBeLessThan(96 * 1024);
  });
});

describe('the exit code', () => {
  it.each([
    ['0 for the answer to a handler that failed', '/throw', 0, /^Status: 500 /, 'failed: thrown by the handler\n'],
    ['1 for an answer that breaks off', '/break', 1, /begun$/, ''],
    ['1 for a program that crashes', '/crash', 1, /^$/, 'thrown by nobody'],
  ])('is %s', async (_, path, code, text, errors) => {
    const cgi = await run({ path });
    expect(await cgi.ended()).toBe(code);
    expect(cgi.text()).toMatch(text);
    expect(cgi.errors()).toContain(errors);
  });

  it('comes at once, whatever the application holds', async () => {
    const cgi = await run({ path: '/hold' });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.text()).toMatch(/hello$/);
  });

  it('comes when all that was printed is printed', async () => {
    const cgi = await run({ path: '/print-a-lot' });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.errors()).toContain('line 19999 ');
  });

  it('is 1 where the application does not start', async () => {
    const module = moduleWith(`await serveCgi(() => {}, { idleTimeout: -1 });`);
    const cgi = await run({ path: '/', module });
    expect(await cgi.ended()).toBe(1);
    expect(cgi.text()).toBe('');
    expect(cgi.errors()).toContain('ERR_SCGI_OPTION');
  });

  it('is 0 for a signal behind the answer, which web servers send: what is to be closed has two seconds then', async () => {
    const module = moduleWith(`
      const { cgiVariant, serveScgi } = await import(process.argv[2]);
      const serve = async (app, options) => {
        const running = await serveScgi(app, options);
        const close = async () => {
          await running.close();
          console.error('closing');
          await new Promise((resolve) => process.once('SIGTERM', () => setTimeout(resolve, 100)));
          console.error('closed');
        };
        return { ...running, close };
      };
      await cgiVariant(serve)((_req, res) => res.end('hello'));`);
    const cgi = await run({ path: '/', module });
    await printed(cgi, 'closing');
    cgi.child.kill('SIGTERM');
    expect(await cgi.ended()).toBe(0);
    expect(cgi.errors()).toBe('closing\nclosed\n');
  });

  it('is 0, with a word in the log, where what is to be closed does not end', async () => {
    const module = moduleWith(`
      const { cgiVariant, serveScgi } = await import(process.argv[2]);
      const serve = async (app, options) => ({ ...(await serveScgi(app, options)), close: () => new Promise(() => {}) });
      await cgiVariant(serve)((_req, res) => res.end('hello'), { cgi: { closeTimeout: 50 } });`);
    const cgi = await run({ path: '/', module });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.errors()).toMatch(/^CGI: .* 50 ms\n$/);
  });

  it('is 0, with the error in the log, where it cannot be closed', async () => {
    const module = moduleWith(`
      const { cgiVariant, serveScgi } = await import(process.argv[2]);
      const serve = async (app, options) => {
        return { ...(await serveScgi(app, options)), close: () => Promise.reject(new Error('no end')) };
      };
      await cgiVariant(serve)((_req, res) => res.end('hello'));`);
    const cgi = await run({ path: '/', module });
    expect(await cgi.ended()).toBe(0);
    expect(cgi.errors()).toContain('no end');
  });
});

describe('the environment', () => {
  interface Shown {
    readonly url: string;
    readonly original: string;
    readonly basePath: string;
    readonly env: Readonly<Record<string, string>>;
  }

  async function show(environment: Readonly<Record<string, string>>, path = '/show'): Promise<Shown> {
    const cgi = await run({ path, environment });
    expect(await cgi.ended()).toBe(0);
    return JSON.parse(Buffer.from(cgi.text(), 'latin1').toString().split('\r\n\r\n')[1] ?? '');
  }

  it('is the request: below the program, unless told otherwise', async () => {
    expect(await show({}, '/show?q=1')).toMatchObject({
      url: '/show?q=1',
      original: '/cgi-bin/app.cgi/show?q=1',
      basePath: '/cgi-bin/app.cgi',
    });
  });

  it('gives nothing of the process to the request but what is asked for', async () => {
    const { env } = await show({ SECRET: 'x', HTTP_PROXY: 'http://evil.test', EXTRA_ROLE: 'admin', HTTP_X: '1' });
    expect(Object.keys(env).toSorted()).toEqual(
      [
        'CONTENT_LENGTH',
        'EXTRA_ROLE',
        'GATEWAY_INTERFACE',
        'HTTP_X',
        'REQUEST_METHOD',
        'REQUEST_URI',
        'SCGI',
        'SCRIPT_NAME',
      ].toSorted(),
    );
  });

  it('loses the HTTP_PROXY that a client may have set, and nothing else', async () => {
    const cgi = await run({ path: '/proxy', environment: { HTTP_PROXY: 'http://evil.test', SECRET: 'kept' } });
    await cgi.ended();
    expect(cgi.text()).toMatch(/undefined kept$/);
  });
});

describe('without a web server', () => {
  it('serves as serveScgi does', async () => {
    const address = `unix:${join(temporaryFolder(), 'app.sock')}`;
    const environment = { GATEWAY_INTERFACE: '', SCGI_BIND: address };
    const cgi = await run({ path: '/', environment });
    while (!cgi.text().includes(address)) {
      await within('the address', once(cgi.output ?? expect.unreachable(), 'data'), deadlineMs);
    }
    cgi.child.kill('SIGTERM');
    expect(await cgi.ended()).toBe('SIGTERM');
  });
});
