// serveScgi in a process of its own, for processes.test.ts: node serve-process.mjs CORE OPTIONS
// CORE is the compiled package's index.js, OPTIONS is JSON. Says { endpoints } or { code, message } as one line of JSON,
// then serves until stdin ends. Answers with its process id and what is left of systemd's variables.
import { once } from 'node:events';
import process from 'node:process';

const [core, options] = process.argv.slice(2);
const { serveScgi } = await import(core);
const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

try {
  const running = await serveScgi((_req, res) => {
    const variables = Object.keys(process.env).filter((name) => name.startsWith('LISTEN_'));
    res.end(`process ${process.pid}: ${variables.join()}`);
  }, JSON.parse(options));
  say({ endpoints: running.endpoints });
  process.stdin.resume();
  await once(process.stdin, 'end');
  await running.close();
} catch (error) {
  say({ code: error.code, message: error.message });
}
