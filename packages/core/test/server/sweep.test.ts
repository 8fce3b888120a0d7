// The list of open connections runs through the connections; it must forget those that are gone.

import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RequestDecoder } from '../../src/protocol/index.js';
import { ConnectionSweep, ScgiConnection } from '../../src/server/index.js';
import type { ConnectionHost } from '../../src/server/index.js';

const host: ConnectionHost = {
  headersTimeout: 0,
  requestTimeout: 0,
  idleTimeout: 0,
  lingerTimeout: 0,
  lingerBytes: 0,
  maxBufferedBody: 0,
  halfOpen: 'auto',
  createHandler() {
    throw new Error('no request was sent');
  },
  onPeerError: () => false,
  onConnectionClose() {},
  onHandOver() {},
  reset() {},
  takenBytes: () => 0,
};

const connection = (): ScgiConnection =>
  new ScgiConnection(new Duplex({ read() {}, write() {} }), new RequestDecoder(), host);

describe('ConnectionSweep', () => {
  it.each([
    ['the newest', 2],
    ['one in the middle', 1],
    ['the oldest', 0],
  ])('keeps the others when %s goes', (_which, index) => {
    const sweep = new ConnectionSweep(host);
    const all = [connection(), connection(), connection()];
    for (const one of all) sweep.add(one);
    const gone = all[index];
    if (gone === undefined) throw new Error('no such connection');
    sweep.delete(gone);
    expect([...sweep]).toEqual(all.filter((one) => one !== gone).toReversed());
    expect(sweep.size).toBe(2);
  });

  it('leaves no reference from a connection that is gone to those that stay', () => {
    const sweep = new ConnectionSweep(host);
    const all = [connection(), connection(), connection()];
    for (const one of all) sweep.add(one);
    const [, middle] = all;
    if (middle === undefined) throw new Error('no such connection');
    sweep.delete(middle);
    expect([middle.older, middle.newer]).toEqual([null, null]);
  });
});
