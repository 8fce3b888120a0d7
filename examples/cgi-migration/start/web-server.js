// The web server of a step with its block, or where it is not installed the HTTP front of @scgi/gateway.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createHttpFront } from '@scgi/gateway';
import { startChild } from './child.js';
import { refuseClosedFolders } from './closed-folders.js';
import { source } from './place.js';

export async function startWebServer(step, place) {
  const { server, block } = step;
  const executable = process.env.WEB_SERVER === 'none' ? undefined : server.find();
  if (executable === undefined) return startFront(step, place);
  if (step.application === undefined) refuseClosedFolders(`${source}/cgi-bin/guestbook.pl`, place.entries);
  const file = `${place.folder}/${server.name}.conf`;
  writeFileSync(file, server.format(place, moveBlock(readFileSync(`${source}/${block}`, 'utf8'), place)));
  console.log(`${server.name} with ${block}; its log is ${place.folder}/error.log`);
  await startChild(place, [executable, ...server.args(place, file)], { port: place.port, host: '127.0.0.1' });
}

/** From the paths and the port of the guide to those of this place. */
function moveBlock(block, { entries, folder, port }) {
  const moved = block.replaceAll('/srv/guestbook/data/entries.txt', entries).replaceAll('/srv/guestbook', source);
  return moved.replaceAll('/run/guestbook', folder).replace(/listen\s+80;/, `listen 127.0.0.1:${port};`);
}

async function startFront({ application, server: { name, debianPackage } }, place) {
  const advice = `${name} is not here (on Debian: apt-get install ${debianPackage})`;
  if (application === undefined) throw new Error(`${advice}; this step has nothing else to run the program`);
  console.log(`${advice}; the HTTP front of @scgi/gateway stands in for it`);
  const front = createHttpFront({ to: `unix:${place.socket}` }).listen(place.port, '127.0.0.1');
  await once(front, 'listening');
  place.ends.push(() => front.close());
}
