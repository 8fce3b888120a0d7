// npm run step1 … step6: starts what a step needs, in a folder of its own, until Ctrl-C.
import { startApplication } from './start/application.js';
import { makePlace } from './start/place.js';
import { steps } from './start/steps.js';
import { startWebServer } from './start/web-server.js';

const name = process.argv[2];
const step = steps[name];
const place = await makePlace();

async function stop(exitCode) {
  await place.end();
  process.exit(exitCode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));
place.once('failure', (error) => {
  console.error(error.message);
  void stop(1);
});

try {
  if (step.application !== undefined) await startApplication(step, place);
  await startWebServer(step, place);
  console.log(`Step ${name}: http://127.0.0.1:${place.port}${step.path}`);
  console.log(`The entries are in ${place.entries}. Ctrl-C stops it.`);
} catch (error) {
  place.emit('failure', error);
}
