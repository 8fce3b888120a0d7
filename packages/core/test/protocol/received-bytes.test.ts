import { describe, expect, test } from 'vitest';
import { ByteCollector, ChunkQueue } from '../../src/protocol/received-bytes.js';
import { text, wire } from './drive.js';

describe('ChunkQueue', () => {
  test('hands out in order what was pushed in several rounds, as views of at most the size asked for', () => {
    const queue = new ChunkQueue();
    const taken: string[] = [];
    for (const round of [['ab', 'c', 'def'], ['g'], ['h', 'i']]) {
      for (const chunk of round) queue.push(wire(chunk));
      while (queue.ready()) taken.push(text(queue.take(2)));
    }
    expect(taken).toEqual(['ab', 'c', 'de', 'f', 'g', 'h', 'i']);
  });

  test('keeps no chunk that was used up or is not wanted any more', () => {
    const queue = new ChunkQueue();
    for (const leave of [() => queue.take(1), () => queue.clear()]) {
      queue.push(wire('a'));
      leave();
      expect(queue.ready()).toBe(false);
      expect(queue.chunk).toHaveLength(0);
    }
  });
});

describe('ByteCollector', () => {
  test('allocates in step with what comes, not with what was announced', () => {
    const collector = new ByteCollector(1_000_000);
    for (let length = 1; length <= 5000; length++) {
      collector.append(new Uint8Array(1));
      expect(collector.bytes().buffer.byteLength).toBeLessThanOrEqual(Math.max(256, 2 * length));
    }
  });

  test('never allocates more than its limit', () => {
    const collector = new ByteCollector(300);
    collector.append(new Uint8Array(200));
    collector.append(new Uint8Array(100));
    expect(collector.bytes().buffer.byteLength).toBe(300);
    expect(collector.length).toBe(300);
  });
});
