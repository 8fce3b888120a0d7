// `npm start`: from a fresh clone to the Express example in the browser, over SCGI, without a web server.
// Installs and builds what is missing, runs examples/express as an SCGI server and puts the HTTP front before it.

import './support/node-version.js';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { buildPackages, ensurePackages } from './support/packages.js';
import { root } from './support/run.js';

const startDeadlineMs = 15_000;
const stopDeadlineMs = 5_000;

if (!(await ensurePackages()) || !(await buildPackages())) process.exit(1);
await serve();

async function serve() {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-example-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const address = process.platform === 'win32' ? `127.0.0.1:${await findFreePort()}` : `unix:${folder}/app.sock`;

  const app = spawn(process.execPath, ['server.js'], {
    cwd: join(root, 'examples/express'),
    env: { ...process.env, SCGI_BIND: address },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const appExit = new Promise((resolve) => app.once('exit', (code, signal) => resolve(signal ?? code)));
  let front;
  let stopping = false;
  const stop = async (exitCode) => {
    if (stopping) return;
    stopping = true;
    front?.close();
    front?.closeAllConnections();
    app.kill('SIGTERM');
    const timer = setTimeout(() => app.kill('SIGKILL'), stopDeadlineMs);
    await appExit;
    clearTimeout(timer);
    process.exit(exitCode);
  };
  process.on('SIGINT', () => void stop(0)).on('SIGTERM', () => void stop(0));
  onOrphaned(() => void stop(0));
  appExit.then((reason) => {
    if (!stopping) console.error(`The example ended by itself (${reason}).`);
    return stop(1);
  });

  try {
    await waitUntilListening(address, () => stopping);
    front = await startFront(address);
    announce(front, address, app.pid);
  } catch (error) {
    if (!stopping) console.error(error);
    await stop(1);
  }
}

/** Listens on the wanted port, or on any free one if somebody has it. */
async function startFront(address) {
  const { createHttpFront } = await import('@scgi/gateway');
  const front = createHttpFront({ to: address });
  const wanted = Number(process.env['PORT'] ?? 8080);
  try {
    await listen(front, wanted);
  } catch (error) {
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    console.log(`Port ${wanted} is ${error.code === 'EACCES' ? 'not allowed' : 'taken'}: using a free one.`);
    await listen(front, 0);
  }
  return front;
}

function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve(undefined);
    });
  });
}

function announce(front, address, pid) {
  console.log(`
  The Express example is at

      http://127.0.0.1:${front.address().port}/

  browser → HTTP front (this process) → SCGI ${address} → Express (process ${pid})
  Ctrl-C stops it.
`);
}

/** npm passes SIGTERM on to its shell, which dies of it without a word to us: losing the parent has to do. */
function onOrphaned(callback) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    callback();
  }, 500);
}

async function waitUntilListening(address, given) {
  const target = address.startsWith('unix:')
    ? { path: address.slice('unix:'.length) }
    : { host: '127.0.0.1', port: Number(address.split(':')[1]) };
  const deadline = performance.now() + startDeadlineMs;
  while (!(await accepts(target))) {
    if (given()) throw new Error('the example ended before it listened');
    if (performance.now() > deadline) throw new Error(`the example does not listen on ${address}`);
    await wait(25);
  }
}

function accepts(target) {
  return new Promise((resolve) => {
    const socket = connect(target, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function findFreePort() {
  const server = createServer();
  await listen(server, 0);
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
