// What else may knock at the port: HTTP, TLS and two thousand kinds of rubbish. Each gets an answer or a close, and the
// next good client is served as if nothing had happened.

import { createHash } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { within } from '../support/deadline.js';
import { expectNoLeaks } from '../support/leaks.js';
import { answerOf, ask, deadlineMs, greeting, head, inParallel, open } from './support/client.js';
import { startServerProcess } from './support/server-process.js';

describe('another protocol', () => {
  it('HTTP is told in HTTP that this port speaks SCGI', async () => {
    const { port } = await startServerProcess();
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(deadlineMs) });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('this port speaks SCGI, not HTTP');
    expect(await ask(port)).toBe(greeting);
  });

  it('TLS ends with an error at the client, at once', async () => {
    const { port, facts } = await startServerProcess();
    const client = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const failed = new Promise((resolve) => client.once('error', resolve));
    expect(await within(failed, deadlineMs, 'the failure of the handshake')).toBeInstanceOf(Error);
    client.destroy();
    expect(await ask(port)).toBe(greeting);
    expect((await facts()).unhandled).toEqual([]);
  });

  it.each([
    ['HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['HTTP with a large head', `GET / HTTP/1.1\r\n${'X-Fill: xxxxxxxx\r\n'.repeat(20_000)}`, /^HTTP\/1\.1 400 /],
    ['FastCGI', '\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00', /^Status: 400 /],
    ['uwsgi', '\x00\x19\x00\x00\x0e\x00REQUEST_METHOD\x03\x00GET', /^Status: 400 /],
    ['the PROXY protocol', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', /^(?:Status:|HTTP\/1\.1) 400 /],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', /^(?:Status:|HTTP\/1\.1) 400 /],
  ])('%s is answered 400', async (_name, bytes, expected) => {
    const { port } = await startServerProcess();
    expect(await ask(port, bytes)).toMatch(expected);
  });
});

/** Pseudo-random bytes, the same in every run: SHA-256 of a counter. */
class Random {
  readonly #seed: string;
  #counter = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  byte(): number {
    if (this.#at === this.#bytes.length) {
      this.#bytes = createHash('sha256').update(`${this.#seed} ${this.#counter}`).digest();
      this.#counter += 1;
      this.#at = 0;
    }
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  below(limit: number): number {
    return ((this.byte() << 16) | (this.byte() << 8) | this.byte()) % limit;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.byte()));
  }
}

const valid = Buffer.from(
  `${head({ REQUEST_METHOD: 'POST', REQUEST_URI: '/digest', HTTP_HOST: 'a.example', CONTENT_LENGTH: '12' })}twelve bytes`,
  'latin1',
);

/** Rubbish number `index`: noise, or a request that was cut, bent, filled or repeated. */
function rubbish(index: number): Buffer {
  const random = new Random(`rubbish ${index}`);
  const noise = random.bytes(random.below(200) + 1);
  const at = random.below(valid.length);
  switch (index % 6) {
    case 0:
      return noise;
    case 1:
      return valid.subarray(0, at);
    case 2: {
      const bent = Buffer.from(valid);
      for (let fault = 0; fault <= random.below(4); fault += 1) bent[random.below(bent.length)] = random.byte();
      return bent;
    }
    case 3:
      return Buffer.concat([valid.subarray(0, at), noise, valid.subarray(at)]);
    case 4:
      return Buffer.concat([valid, noise, valid]);
    default:
      // A believable length before the noise.
      return Buffer.concat([Buffer.from(`${noise.length}:`), noise, Buffer.from(',')]);
  }
}

describe('rubbish', () => {
  it('of 2,400 kinds gets a proper answer or a close each time, and leaves nothing behind', async () => {
    const server = await startServerProcess();
    await ask(server.port);
    const before = server.descriptors();
    const odd: string[] = [];
    const statuses = new Map<string, number>();
    await inParallel(2400, 40, async (index) => {
      const socket = await open(server.port);
      const answer = answerOf(socket);
      socket.end(rubbish(index));
      const [status = ''] = /^(?:Status:|HTTP\/1\.1) \d{3} |^$/.exec(await answer) ?? ['?'];
      if (status === '?') odd.push(`${index}: ${await answer}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      // Good clients in between.
      if (index % 40 === 0 && (await ask(server.port)) !== greeting) odd.push(`good client ${index}`);
    });
    expect(odd).toEqual([]);
    // The mixture is one: some of it was close enough to a request to be served.
    expect(statuses.get('Status: 200 ')).toBeGreaterThan(100);
    expect(statuses.get('Status: 400 ')).toBeGreaterThan(1000);
    expect((await server.facts()).unhandled).toEqual([]);
    await expectNoLeaks(before, server.pid);
  });
});
