// Where a step lives: a folder for its socket, configuration and log, a port, and the file of entries, which stays.
import { EventEmitter } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from './ports.js';

/** The folder of the example: /srv/guestbook in the guide. */
export const source = resolve(import.meta.dirname, '..');

export async function makePlace() {
  const data = resolve(process.env.GUESTBOOK_DATA ?? join(source, 'data'));
  mkdirSync(data, { recursive: true });
  const entries = join(data, 'entries.txt');
  closeSync(openSync(entries, 'a'));
  // The Apache of root runs programs as www-data, which must be able to write what root has made.
  if (process.getuid?.() === 0) chmodSync(entries, 0o666);
  return new Place(entries, Number(process.env.PORT) || (await freePort()));
}

/** Emits `failure` when something that should run does not. */
class Place extends EventEmitter {
  ends = [];

  constructor(entries, port) {
    super();
    this.folder = mkdtempSync(join(tmpdir(), 'guestbook-'));
    chmodSync(this.folder, 0o755);
    this.ends.push(() => rmSync(this.folder, { recursive: true, force: true }));
    Object.assign(this, { entries, port, socket: join(this.folder, 'app.sock') });
  }

  /** Ends what was started here, the latest first. */
  end() {
    return (this.ending ??= this.ends.reduceRight((before, end) => before.then(end), Promise.resolve()));
  }
}
