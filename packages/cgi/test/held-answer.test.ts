// Programs that answer before they have read, for a front end that sends no more once it has the head of the response.

import { createScgiServer } from '@scgi/core';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cgiDirectory } from '../src/index.js';
import { writePrograms } from './support/programs.js';

/** More than a pipe takes. */
const size = 500_000;

/** Connects as a front end, and sends a POST's head. */
async function post(source: string): Promise<Client> {
  const folder = writePrograms({ program: source });
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const server = createScgiServer(cgiDirectory(folder, { env: { PIPE: pipe } })).listen(0);
  await once(server, 'listening');
  const address = server.address();
  const socket = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  const client: Client = { socket, pipe, text: '', ended: once(socket, 'end') };
  socket.setEncoding('latin1').on('data', (data) => (client.text += data));
  const variables = { CONTENT_LENGTH: `${size}`, SCGI: '1', REQUEST_METHOD: 'POST', REQUEST_URI: '/program' };
  const head = Object.entries(variables).flatMap((pair) => pair.map((text) => `${text}\0`));
  socket.write(`${head.join('').length}:${head.join('')},`);
  return client;
}

interface Client {
  readonly socket: Socket;
  /** The program may wait for what is written to it. */
  readonly pipe: string;
  text: string;
  readonly ended: Promise<unknown>;
}

/** Sends the body, but no more of it once the head of the response is there, as nginx. */
async function sendLikeNginx(client: Client): Promise<void> {
  for (let sent = 0; sent < size && client.text === ''; sent += 10_000) {
    await new Promise<void>((resolve) => client.socket.write('x'.repeat(10_000), () => resolve()));
    await nextTurn();
  }
}

describe('a program that answers and then reads', () => {
  test('gets all of its input from a front end that sends no more once it has the head', async () => {
    const client = await post(`printf 'Content-Type: text/plain\\n\\n'; echo printed > "$PIPE"; wc -c`);
    await readFile(client.pipe);
    await sendLikeNginx(client);
    await client.ended;
    expect(client.text).toMatch(/^Status: 200 OK\r\n[^]*\r\n\r\n\s*500000\n$/);
  });

  test('and ends without reading has answered', async () => {
    const client = await post("printf 'Content-Type: text/plain\\n\\nenough'");
    await client.ended;
    expect(client.text).toMatch(/^Status: 200 OK\r\n[^]*\r\n\r\nenough$/);
  });

  test('is heard when it has closed its input', async () => {
    const client = await post(
      `exec <&-; printf 'Content-Type: text/plain\\n\\nfirst '; read -r line < "$PIPE"; echo "$line"`,
    );
    client.socket.write('x'.repeat(100_000));
    await expect.poll(() => client.text).toMatch(/first $/);
    writeFileSync(client.pipe, 'second\n');
    await client.ended;
    expect(client.text).toMatch(/first second\n$/);
  });

  test('is heard after one mebibyte, whatever it has read', async () => {
    const client = await post("printf 'Content-Type: text/plain\\n\\n'; yes | head -c 3000000; cat > /dev/null");
    await expect.poll(() => client.text.length).toBeGreaterThan(1_000_000);
    await new Promise<void>((resolve) => client.socket.write('x'.repeat(size), () => resolve()));
    await client.ended;
    expect(client.text.length).toBeGreaterThan(3_000_000);
  });
});
