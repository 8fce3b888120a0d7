// The program of a step as the guide starts it: SCGI_BIND says where it listens, GUESTBOOK_FILE where the entries are.
import { startChild } from './child.js';
import { source } from './place.js';

export function startApplication({ application }, place) {
  // 0666: the workers of root's Apache are www-data.
  const variables = { SCGI_BIND: `unix:${place.socket}?mode=0666`, GUESTBOOK_FILE: place.entries };
  const env = { ...process.env, NODE_ENV: 'production', ...variables };
  return startChild(place, [process.execPath, `${source}/${application}`], { path: place.socket }, { env });
}
