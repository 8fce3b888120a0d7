// The warning about a response head that the front end is going to refuse.

import { once } from 'node:events';
import { expect, it } from 'vitest';
import { exchange, head, within } from '../support/raw-client.js';
import { tcpServer } from '../support/servers.js';

it('warns once of a response head that passes the limit of the front end, and sends it all the same', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const server = await tcpServer((_request, response) => {
    response.setHeader('set-cookie', `a=${'x'.repeat(5000)}`);
    response.end('ok');
  });
  const warned = once(process, 'warning');
  for (let count = 0; count < 3; count += 1) {
    expect((await exchange(server.address(), head())).text).toMatch(/^Status: 200 OK[\s\S]*x{5000}[\s\S]*ok$/);
  }
  await within('the warning', warned);
  process.off('warning', note);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ name: 'ScgiWarning', code: 'SCGI_LONG_RESPONSE_HEAD' });
  expect(warnings[0]?.message).toMatch(/scgi_buffer_size 8k;/);
});
