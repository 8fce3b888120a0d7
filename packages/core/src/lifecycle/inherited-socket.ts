// The path of a Unix socket that we know only by its descriptor. Node cannot ask getsockname(2) for a pipe handle, so
// Linux' table of sockets is read instead; elsewhere the path stays unknown.
import { fstatSync, lstatSync, readFileSync } from 'node:fs';

/** The path that clients connect to ('@name' for an abstract socket); undefined if it cannot be told. */
export function inheritedSocketPath(fd: number): string | undefined {
  try {
    const path = findBoundPath(readFileSync('/proc/net/unix', 'utf8'), fstatSync(fd).ino);
    if (path === undefined || path.startsWith('@')) return path;
    // The table has the name at bind time: it may be relative to another folder, renamed or removed since.
    return path.startsWith('/') && lstatSync(path).isSocket() ? path : undefined;
  } catch {
    return undefined; // Not Linux, no /proc, or the file is gone: the descriptor's number is shown instead.
  }
}

// proc(5): Num RefCount Protocol Flags Type St Inode Path; the path may hold spaces.
function findBoundPath(table: string, inode: number): string | undefined {
  for (const line of table.split('\n')) {
    const columns = /^[0-9a-f]+: (?:\S+ +){5}(\d+) (.+)$/i.exec(line);
    if (columns?.[1] === String(inode)) return columns[2];
  }
  return undefined;
}
