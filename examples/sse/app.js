/** A counter that all visitors share, told to them by server-sent events. Nothing in here knows that SCGI exists. */
import { readFileSync } from 'node:fs';
const page = readFileSync(new URL('page.html', import.meta.url));

export function createApp({ heartbeatMs = 15_000 } = {}) {
  const watchers = new Set();
  const history = [{ id: Date.now(), count: 0 }]; // ids rise over restarts, too
  const format = ({ id, count }) => `id: ${id}\ndata: ${count}\n\n`;
  // Who does not keep up is cut off: the browser comes back and says which event was its last.
  const tellAll = (text) => watchers.forEach((res) => (res.writableLength < 65_536 ? res.write(text) : res.destroy()));
  const tellWatchers = () => tellAll(`event: watchers\ndata: ${watchers.size}\n\n`);
  setInterval(tellAll, heartbeatMs, ': still here\n\n').unref(); // after 60 silent seconds nginx would give up

  function watch(req, res) {
    const lastId = Number(req.headers['last-event-id'] ?? history.at(-1).id - 1);
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    const missed = history.filter(({ id }) => id > lastId);
    res.write(`retry: 1000\n\n${missed.map(format).join('')}`);
    watchers.add(res);
    tellWatchers();
    res.on('close', () => watchers.delete(res) && tellWatchers());
  }

  return (req, res) => {
    if (req.method === 'GET' && req.url === '/events') return watch(req, res);
    if (req.method === 'GET' && req.url === '/') return res.setHeader('Content-Type', 'text/html').end(page);
    if (req.method !== 'POST' || req.url !== '/count') return res.writeHead(404).end('not found\n');
    history.push({ id: history.at(-1).id + 1, count: history.at(-1).count + 1 });
    if (history.length > 100) history.shift();
    tellAll(format(history.at(-1)));
    res.writeHead(204).end();
  };
}
