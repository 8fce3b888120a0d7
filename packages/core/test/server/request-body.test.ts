// Request bodies of bridges: pulled, bounded, and with one clear end.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Bridged } from '../support/bridged.js';
import { bridge } from '../support/bridged.js';
import { head, within } from '../support/raw-client.js';

const post = (length: number, bytes: string = ''): string => head({ CONTENT_LENGTH: String(length) }) + bytes;

/** Waits for what `read` says next. */
function next({ body }: Bridged): Promise<string | null> {
  return within(
    'the next bytes',
    new Promise((resolve, reject) => {
      body.onReadable = () => {
        try {
          const chunk = body.read();
          if (chunk !== undefined) resolve(chunk === null ? null : Buffer.from(chunk).toString('latin1'));
        } catch (error) {
          reject(error);
        }
      };
      body.onReadable();
    }),
  );
}

describe('a body', () => {
  it('gives what has come, then nothing yet, then the rest, then the end', async () => {
    const bridged = await bridge(post(4, 'ab'));
    const { body, client } = bridged;
    expect(await next(bridged)).toBe('ab');
    expect(body.read()).toBeUndefined();
    client.write('cd');
    expect(await next(bridged)).toBe('cd');
    expect(await next(bridged)).toBeNull();
    expect(body.isComplete).toBe(true);
  });

  it('knows whether somebody has asked for it', async () => {
    const { body } = await bridge(post(4, 'ab'));
    expect(body.isRead).toBe(false);
    body.read();
    expect(body.isRead).toBe(true);
  });

  it('ends again and again', async () => {
    const bridged = await bridge(post(2, 'ab'));
    expect(await next(bridged)).toBe('ab');
    expect(await next(bridged)).toBeNull();
    expect(bridged.body.read()).toBeNull();
  });

  it('is taken in no further than its bound while nobody reads', async () => {
    const size = 16 << 20;
    const { body, client, request } = await bridge(post(size));
    client.write(Buffer.alloc(size));
    for (let turn = 0; turn < 1000 && !request.connection.socket.isPaused(); turn += 1) await nextTurn();
    expect(request.connection.socket.isPaused()).toBe(true);
    expect(body.bufferedBytes).toBeGreaterThanOrEqual(64 * 1024);
    expect(body.bufferedBytes).toBeLessThan(512 * 1024);
  });

  it('goes on when it is read', async () => {
    const size = 4 << 20;
    const bridged = await bridge(post(size));
    bridged.client.write(Buffer.alloc(size, 'x'));
    let read = 0;
    for (let text = await next(bridged); text !== null; text = await next(bridged)) read += text.length;
    expect(read).toBe(size);
    expect(bridged.body.bufferedBytes).toBe(0);
  });
});

describe('a body that fails', () => {
  it('gives the bytes that came before, then the error, each time', async () => {
    const bridged = await bridge(post(4, 'ab'));
    for (let turn = 0; turn < 100 && bridged.body.bufferedBytes < 2; turn += 1) await nextTurn();
    bridged.body.fail(new Error('gone'));
    expect(await next(bridged)).toBe('ab');
    expect(() => bridged.body.read()).toThrow('gone');
    expect(() => bridged.body.read()).toThrow('gone');
  });

  it('tells who waits', async () => {
    const bridged = await bridge(post(4));
    const waiting = next(bridged);
    bridged.client.destroy();
    await expect(waiting).rejects.toThrow('the client is gone');
  });

  it('is not one that is complete already', async () => {
    const bridged = await bridge(post(2, 'ab'));
    for (let turn = 0; turn < 100 && !bridged.body.isComplete; turn += 1) await nextTurn();
    bridged.body.fail(new Error('gone'));
    expect(await next(bridged)).toBe('ab');
    expect(await next(bridged)).toBeNull();
  });

  it('keeps its first error', async () => {
    const { body } = await bridge(post(4));
    body.fail(new Error('first'));
    body.fail(new Error('second'));
    expect(() => body.read()).toThrow('first');
  });
});

describe('a body that is discarded', () => {
  it('is dropped, shows its end, and lets the rest go by', async () => {
    const size = 4 << 20;
    const { body, client, request } = await bridge(post(size));
    client.write(Buffer.alloc(size));
    for (let turn = 0; turn < 1000 && !request.connection.socket.isPaused(); turn += 1) await nextTurn();
    body.discard();
    expect([body.bufferedBytes, body.read()]).toEqual([0, null]);
    for (let turn = 0; turn < 10_000 && !body.isComplete; turn += 1) await nextTurn();
    expect([body.isComplete, body.bufferedBytes]).toEqual([true, 0]);
  });

  it('tells who waits', async () => {
    const bridged = await bridge(post(4));
    const waiting = next(bridged);
    bridged.body.discard();
    expect(await waiting).toBeNull();
  });
});
