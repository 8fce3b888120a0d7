// A server in a process of its own, for processes.test.ts: node listen-process.mjs LIFECYCLE SETTINGS
// LIFECYCLE is the folder of the compiled modules, SETTINGS is JSON: { bind, uid, wait }. Answers in JSON, one object a
// line: { ready } if it shall wait for a line on stdin first, then { endpoints, environment } or { code, message }.
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';

const [lifecycle, settings] = process.argv.slice(2);
const { resolveTargets } = await import(`${lifecycle}/bind.js`);
const { listen } = await import(`${lifecycle}/listen.js`);
const { bind, uid, wait } = JSON.parse(settings);
const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

if (uid !== undefined) {
  process.setgroups([]);
  process.setgid(uid);
  process.setuid(uid);
}
if (wait) {
  say({ ready: true });
  await once(process.stdin, 'data');
}
const opened = [];
try {
  for (const target of resolveTargets(bind, process.env, process.pid)) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(`process ${process.pid}`);
    });
    opened.push({ server, endpoint: await listen(server, target) });
  }
  const environment = Object.keys(process.env).filter((name) => name.startsWith('LISTEN_'));
  say({ endpoints: opened.map(({ endpoint }) => endpoint), environment });
} catch (error) {
  say({ code: error.code, message: error.message });
  process.exit(1);
}
// Until the test closes stdin.
process.stdin.resume();
await once(process.stdin, 'end');
for (const { server, endpoint } of opened) {
  await endpoint.release();
  server.close();
}
