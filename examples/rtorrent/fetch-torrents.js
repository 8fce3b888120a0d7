const fields = ['name', 'state', 'complete', 'hashing', 'completed_bytes', 'size_bytes', 'down.rate', 'message'];

/** All torrents: a line of text for each, and whether more will come of it by itself. */
export async function fetchTorrents(rtorrent) {
  const rows = await rtorrent.call('d.multicall2', '', 'main', ...fields.map((field) => `d.${field}=`));
  return rows.map((row) => describe(Object.fromEntries(fields.map((field, index) => [field, row[index]]))));
}

function describe(torrent) {
  const { name, state, complete, hashing, completed_bytes: have, size_bytes: size, message } = torrent;
  const part = size > 0 ? have / size : 0;
  const bar = '#'.repeat(Math.floor(part * 20)).padEnd(20, '.');
  const doing = hashing ? 'checking' : complete ? 'complete' : state ? `${torrent['down.rate']} B/s` : 'stopped';
  const line = `[${bar}] ${`${Math.floor(part * 100)}`.padStart(3)} %  ${name}  ${doing}  ${message}`.trimEnd();
  return { line, moving: hashing > 0 || (state > 0 && complete === 0) };
}
