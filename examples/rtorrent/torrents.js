// rTorrent from the terminal: version, list, add FILE|MAGNET, watch. --socket or RTORRENT_SOCKET says where it listens.
import { parseArgs } from 'node:util';
import * as commands from './commands.js';
import { Rtorrent } from './rtorrent.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { socket: { type: 'string' } } });
const [command = 'list', ...rest] = positionals;

try {
  if (!Object.hasOwn(commands, command)) throw new Error(`no command ${command}: ${Object.keys(commands).join(', ')}`);
  await commands[command](new Rtorrent(values.socket ?? process.env.RTORRENT_SOCKET ?? 5000), ...rest);
} catch (error) {
  console.error(error.code ? `${error.message} (${error.code})` : error.message);
  process.exitCode = 1;
}
