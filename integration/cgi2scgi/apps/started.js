// An application that is started by its first request: says what it has got of it.

import { serveScgi } from '@scgi/core';
import { readFileSync, readlinkSync } from 'node:fs';

// Nobody waits for it, so it must end by itself even if a test run dies.
setTimeout(() => process.exit(), 60_000).unref();

const [, , bind] = process.argv;
// proc_pid_stat(5): of what stands behind the name, the fourth is the session.
const [, , , session] = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ');
const facts = {
  pid: process.pid,
  session: Number(session),
  folder: process.cwd(),
  env: process.env,
  streams: [0, 1, 2].map((descriptor) => readlinkSync(`/proc/self/fd/${descriptor}`)),
};
await serveScgi((_request, response) => response.end(JSON.stringify(facts)), { bind });
