import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { fetchTorrents } from './fetch-torrents.js';

export async function version(rtorrent) {
  const number = await rtorrent.call('system.client_version');
  const spoken = (await rtorrent.speaksJson()) ? 'JSON-RPC' : 'XML-RPC, it has no JSON-RPC';
  console.log(`rTorrent ${number} over SCGI, by ${spoken}`);
}

export async function list(rtorrent) {
  for (const { line } of await fetchTorrents(rtorrent)) console.log(line);
}

/** rTorrent says 0 whatever becomes of it, and takes it in a moment later. */
export async function add(rtorrent, what = '') {
  const content = what.startsWith('magnet:') ? what : await readFile(what);
  const before = (await fetchTorrents(rtorrent)).length;
  await rtorrent.call(content === what ? 'load.start_verbose' : 'load.raw_start_verbose', '', content);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if ((await fetchTorrents(rtorrent)).length > before) return console.log(`added ${what}`);
    await setTimeout(100);
  }
  throw new Error('rTorrent has this one already, or refused it; its log knows more');
}

/** Shows what changes until nothing moves any more. */
export async function watch(rtorrent) {
  let shown = '';
  for (;;) {
    const torrents = await fetchTorrents(rtorrent);
    const lines = torrents.map(({ line }) => line).join('\n');
    if (lines !== shown) console.log(`${new Date().toLocaleTimeString()}\n${lines}`);
    if (!torrents.some(({ moving }) => moving)) return;
    shown = lines;
    await setTimeout(500);
  }
}
