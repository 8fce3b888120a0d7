// A process that asks a backend before, while and after something hinders it, and prints what came of it as JSON.
// Arguments: the target; `descriptors` to have none left, `user` to become somebody who may not connect.

import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { scgi, ScgiClient } from '@scgi/client';
import { createHttpFront, scgi as middleware } from '@scgi/gateway';

const [target = '', hindrance] = process.argv.slice(2);
const nobody = 65_534;
const codes = [];
const onError = (error) => codes.push(error.code);
const client = new ScgiClient(target);
const servers = [createHttpFront({ to: target, onError }), createServer(middleware(target, { onError }))];
// The connection to each front stays: there would be no descriptor for another.
const agents = servers.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
const ports = [];
/** Standard output and the like. */
const ownSockets = sockets();
for (const server of servers) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  ports.push(server.address().port);
}

const hinder = hindrance === 'user' ? becomeNobody : hoard;
const outcomes = [await askAll()];
await settle();
const release = hinder();
outcomes.push(await askAll());
release?.();
if (release !== undefined) outcomes.push(await askAll());
process.stdout.write(JSON.stringify(outcomes), () => process.exit());

async function askAll() {
  return [
    await askClient(() => client.request()),
    await askClient(() => scgi(target)),
    await askFront(0),
    await askFront(1),
  ];
}

async function askClient(ask) {
  try {
    return await (await ask()).text();
  } catch (error) {
    return error.code;
  }
}

function askFront(index) {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: ports[index], agent: agents[index] }, (response) => {
      response.resume().on('end', () => resolve(`${response.statusCode} ${codes.splice(0)}`.trim()));
    });
    asked.on('error', reject).end();
  });
}

/** Until the connections to the backend are closed: both fronts listen, and each has both ends of a connection here. */
async function settle() {
  const expected = ownSockets + servers.length * 3;
  while (sockets() > expected) await new Promise((resolve) => setTimeout(resolve, 5));
}

function sockets() {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
    } catch {
      return false; // The listing's own.
    }
  }).length;
}

/** Opens files until there is no descriptor left; returns what closes them. */
function hoard() {
  const held = [];
  for (;;) {
    try {
      held.push(openSync('/dev/null', 'r'));
    } catch {
      return () => held.forEach((descriptor) => closeSync(descriptor));
    }
  }
}

/** There is no way back. */
function becomeNobody() {
  process.setgid(nobody);
  process.setuid(nobody);
}
