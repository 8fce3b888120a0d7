import { describe, expect, test } from 'vitest';
import { ByteCollector } from '../../src/protocol/received-bytes.js';

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
