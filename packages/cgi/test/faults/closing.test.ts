// A server that closes while programs run: their answers are whole, and what comes later is refused.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { variants, withPrograms } from '../support/cgi-server.js';
import { within } from '../support/within.js';

const slow = 'printf "Content-Type: text/plain\\n\\n"; echo first; read line < "$GATE"; echo last';

describe.each(variants)('with launcher $launcher over $transport', (variant) => {
  test('a server that closes waits for the answer of a program', async () => {
    await withPrograms(variant, { slow }, {}, async (server) => {
      const connection = await server.open('/slow');
      await connection.sees('first');
      const closed = once(server.server, 'close');
      server.server.close();
      server.isClosed = true;
      await expect(server.open('/fine')).rejects.toThrow();
      server.openGate();
      const { status, body } = await connection.closed();
      expect([status, body.toString()]).toEqual([200, 'first\nlast\n']);
      connection.socket.destroy();
      await within('the server is closed', closed);
      expect(server.codes).toEqual([]);
    });
  });

  test('programs that are closed answer whom they have begun to answer, and 503 then', async () => {
    await withPrograms(variant, { slow }, {}, async (server) => {
      const connection = await server.open('/slow');
      await connection.sees('first');
      server.programs.close();
      server.isClosed = true;
      expect((await server.ask('/fine')).status).toBe(503);
      server.openGate();
      const { status, body } = await connection.closed();
      expect([status, body.toString()]).toEqual([200, 'first\nlast\n']);
      connection.socket.destroy();
      expect(server.codes).toEqual(['ERR_SCGI_SERVER_CLOSING']);
    });
  });
});
