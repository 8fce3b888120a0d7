// The server is restarted while requests come through a web server that has nothing but CGI: each of them is answered.
// And answers that break off: which of them a client can tell from whole ones.

import { serveScgi } from '@scgi/core';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { test, type Stage } from '../nginx/support/stage.js';
import { until, within } from '../support/deadline.js';
import { httpRequest } from '../support/http-client.js';
import { describeFronts, program, startFront } from './support/front.js';

const lanes = 4;
const restarts = 2;

describeFronts('requests', (front, variant) => {
  test('are all answered while the server is restarted', { timeout: 60_000 }, async ({ stage }) => {
    const { origin, bind, errorLog } = await startFront(stage, front, variant);
    let server = await startServer(stage, bind);
    const served = new Map<string, number>();
    const load = startLoad(origin, (pid) => served.set(pid, (served.get(pid) ?? 0) + 1));
    for (let restart = 0; restart < restarts; restart += 1) {
      await servedBy(server, served);
      server.kill('SIGTERM');
      await within(once(server, 'exit'), 10_000, 'the end of the server');
      server = await startServer(stage, bind);
    }
    await servedBy(server, served);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(errorLog()).not.toContain('ERR_SCGI');
    expect(served.size).toBe(restarts + 1);
  });

  test('whose answers break off are broken to the client, where Content-Length is passed on', async ({ stage }) => {
    // Apache drops what a program says of its length, and then shows as whole what has come.
    const htaccess = ['SetEnv ap_trust_cgilike_cl 1'];
    const { origin, bind, errorLog } = await startFront(stage, front, variant, { htaccess });
    const server = await serveScgi(
      (_request, response) => {
        response.setHeader('Content-Length', '100000');
        response.write('x'.repeat(50_000), () => response.destroy());
      },
      { bind },
    );
    stage.adopt(server);
    await expect(httpRequest({ origin, path: program })).rejects.toThrow();
    await until(() => errorLog().includes('ERR_SCGI_RESPONSE_TRUNCATED'), 5_000, 'the reason in the log');
  });
});

async function startServer(stage: Stage, bind: string): Promise<ChildProcess> {
  const path = fileURLToPath(new URL('apps/restartable.js', import.meta.url));
  const server = fork(path, { env: { ...process.env, SCGI_BIND: bind }, execArgv: [] });
  stage.add(() => server.kill('SIGKILL'));
  await within(once(server, 'message'), 10_000, 'the server listening');
  return server;
}

/** Resolves when a few requests were answered by this process. */
function servedBy({ pid }: ChildProcess, served: ReadonlyMap<string, number>): Promise<void> {
  return until(
    () => (served.get(String(pid)) ?? 0) >= 2 * lanes,
    20_000,
    () => `answers from process ${pid}; so far ${JSON.stringify([...served])}`,
  );
}

interface Load {
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** Asks again and again, some times with a body, on several lanes at once. */
function startLoad(origin: string, onAnswer: (pid: string) => void): Load {
  const failures: string[] = [];
  let stopped = false;
  const body = 'x'.repeat(100_000);
  const lane = async (number: number): Promise<void> => {
    for (let turn = number; !stopped; turn += 1) {
      const upload = turn % 3 === 0 ? { body } : {};
      try {
        const { status, text } = await httpRequest({ origin, path: program, ...upload, deadlineMs: 20_000 });
        const [pid = '', ...rest] = text.split(' ');
        const expected = turn % 3 === 0 ? `POST ${body.length}` : 'GET 0';
        if (status === 200 && rest.join(' ') === expected) onAnswer(pid);
        else failures.push(`${status} ${text}`);
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
  return {
    failures,
    async stop() {
      stopped = true;
      await running;
    },
  };
}
