// Where serveScgi listens when nothing, or a descriptor, is said: that comes from the environment and from the parent
// process, so each test starts one.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Endpoint } from '../../src/index.js';
import { compileSources } from '../support/compiled.js';
import { exchange, head, within } from '../support/raw-client.js';
import { addressOf, temporaryFolder } from './support.js';

const deadlineMs = 10_000;
vi.setConfig({ testTimeout: 3 * deadlineMs }); // Starting a process takes a while on a busy machine.
const fixture = fileURLToPath(new URL('serve-process.mjs', import.meta.url));
const core = compileSources();

interface Start {
  readonly options?: object;
  readonly environment?: NodeJS.ProcessEnv;
  /** Descriptors that the process finds from 3 up. */
  readonly inherit?: readonly number[];
  /** Announce them as systemd does. */
  readonly activated?: boolean;
}

interface Answer {
  readonly endpoints?: readonly Endpoint[];
  readonly code?: string;
  readonly message?: string;
}

async function start({ options = {}, environment = {}, inherit = [], activated = false }: Start): Promise<{
  readonly answer: Answer;
  readonly child: ChildProcess;
}> {
  const script = [process.execPath, fixture, core, JSON.stringify(options)];
  // LISTEN_PID names the process that exec replaces.
  const [program = '', ...args] = activated ? ['sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh', ...script] : script;
  const { SCGI_BIND: _bind, ...inherited } = process.env;
  const env = { ...inherited, ...environment, ...(activated ? { LISTEN_FDS: String(inherit.length) } : {}) };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'inherit', ...inherit] });
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('no stdout');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { value, done } = await within('the first line of the process', lines.next(), deadlineMs);
  if (done === true) throw new Error('the process ended without a word');
  return { answer: JSON.parse(value), child };
}

interface Parent {
  readonly fd: number;
  /** Where clients connect once this process has left the socket to the child. */
  leave(): ReturnType<net.Server['address']>;
}

/** A listening socket for a child to inherit. */
async function parentOf(options: { path: string } | { host: string; port: number }): Promise<Parent> {
  const server = net.createServer().listen(options);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const handle: unknown = Reflect.get(server, '_handle');
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number') throw new Error('the server has no descriptor');
  const leave = (): ReturnType<net.Server['address']> => {
    const address = server.address();
    // Node removes the path that it listened on; under another name the socket stays.
    const path = typeof address === 'string' ? `${address}.kept` : undefined;
    if (typeof address === 'string' && path !== undefined) renameSync(address, path);
    server.close();
    return path ?? address;
  };
  return { fd, leave };
}

const textFrom = async (endpoint: Endpoint | undefined): Promise<string> =>
  (await exchange(addressOf(endpoint), head())).text;

describe('SCGI_BIND', () => {
  it('says where to listen, at several addresses if it has commas', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const { answer, child } = await start({ environment: { SCGI_BIND: `127.0.0.1:0, unix:${path}` } });
    expect(answer.endpoints).toMatchObject([{ host: '127.0.0.1' }, { path }]);
    for (const endpoint of answer.endpoints ?? []) expect(await textFrom(endpoint)).toContain(`process ${child.pid}`);
    child.stdin?.end();
    await within('the exit', once(child, 'exit'));
    expect(existsSync(path)).toBe(false);
  });

  it('counts for nothing where `bind` is given', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const { answer } = await start({ options: { bind: 0 }, environment: { SCGI_BIND: `unix:${path}` } });
    expect(answer.endpoints).toMatchObject([{ host: '127.0.0.1' }]);
  });

  it('beyond loopback is refused like a `bind`', async () => {
    const { answer } = await start({ environment: { SCGI_BIND: '0.0.0.0:0' } });
    expect(answer.code).toBe('ERR_SCGI_ALLOW_FROM');
  });

  it('that cannot be understood is refused', async () => {
    const { answer } = await start({ environment: { SCGI_BIND: 'http://127.0.0.1:4000' } });
    expect(answer).toMatchObject({ code: 'ERR_SCGI_BIND', message: expect.stringContaining('http://127.0.0.1:4000') });
  });
});

describe('LISTEN_FDS', () => {
  it('hands over the sockets that systemd opened, before SCGI_BIND is asked', async () => {
    const path = join(temporaryFolder(), 'app.sock');
    const tcp = await parentOf({ host: '127.0.0.1', port: 0 });
    const unix = await parentOf({ path });
    const { answer, child } = await start({
      activated: true,
      inherit: [tcp.fd, unix.fd],
      environment: { SCGI_BIND: 'unix:/nowhere/app.sock' },
    });
    const addresses = [tcp.leave(), unix.leave()];
    expect(answer.endpoints).toHaveLength(2);
    expect(answer.endpoints?.[0]).toMatchObject({ host: '127.0.0.1' });
    if (process.platform === 'linux') expect(answer.endpoints?.[1]).toMatchObject({ address: `unix:${path}`, path });
    for (const address of addresses) {
      expect((await exchange(address, head())).text).toContain(`process ${child.pid}`);
    }
  });

  it('is taken out of the environment, so that no child of the application takes the sockets too', async () => {
    const parent = await parentOf({ host: '127.0.0.1', port: 0 });
    await start({ activated: true, inherit: [parent.fd] });
    expect((await exchange(parent.leave(), head())).text).toMatch(/process \d+: $/);
  });

  it('for another process is left alone', async () => {
    const environment = { LISTEN_PID: '1', LISTEN_FDS: '1', SCGI_BIND: '127.0.0.1:0' };
    const { answer } = await start({ environment });
    expect(await textFrom(answer.endpoints?.[0])).toMatch(/LISTEN_PID,LISTEN_FDS|LISTEN_FDS,LISTEN_PID/);
  });
});

describe('{ fd }', () => {
  it.each(['tcp', 'unix'])('serves a %s socket that the parent process opened', async (kind) => {
    const path = join(temporaryFolder(), 'app.sock');
    const parent = await parentOf(kind === 'unix' ? { path } : { host: '127.0.0.1', port: 0 });
    const { child, answer } = await start({ options: { bind: { fd: 3 } }, inherit: [parent.fd] });
    expect(answer.endpoints).toHaveLength(1);
    expect((await exchange(parent.leave(), head())).text).toContain(`process ${child.pid}`);
  });

  it('that is not a listening socket is refused', async () => {
    const { answer } = await start({ options: { bind: { fd: 2000 } } });
    expect(answer).toMatchObject({ code: 'ERR_SCGI_BIND', message: expect.stringContaining('fd:2000') });
  });

  it('that listens beyond loopback is refused without allowFrom', async () => {
    const { fd } = await parentOf({ host: '0.0.0.0', port: 0 });
    const { answer } = await start({ options: { bind: { fd: 3 } }, inherit: [fd] });
    expect(answer.code).toBe('ERR_SCGI_ALLOW_FROM');
  });
});
