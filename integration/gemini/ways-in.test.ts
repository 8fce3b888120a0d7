// One application, behind Molly Brown over SCGI, behind our own front over SCGI, and in the front itself: the same answers.

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGeminiApp, serveScgi } from '@scgi/adapter-gemini';
import type { GeminiServer, RunningServer } from '@scgi/adapter-gemini';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNoLeaks, openDescriptors } from '../support/leaks.js';
import { describeWith } from '../support/front-ends.js';
import { createTestApp, largeBody, largeBytes } from './support/app.js';
import { createCertificates } from './support/certificates.js';
import type { Certificates } from './support/certificates.js';
import { askGemini, askQuickly } from './support/client.js';
import type { GeminiAnswer } from './support/client.js';
import { startMollyBrown } from './support/molly-brown.js';
import type { MollyBrown } from './support/molly-brown.js';

describeWith(['molly-brown', 'python', 'openssl'], 'one application by three ways in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scgi-ways-'));
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  let certificates: Certificates;
  let running: RunningServer;
  let front: GeminiServer;
  let molly: MollyBrown;

  beforeAll(async () => {
    certificates = createCertificates();
    const { server } = certificates;
    const socketPath = join(folder, 'app.sock');
    running = await serveScgi(createGeminiApp().mount('/', createTestApp()), { bind: `unix:${socketPath}`, onError });
    const app = createGeminiApp().mount('/direct', createTestApp());
    app.scgi('/scgi', { socketPath }, { onError });
    front = await app.listen({ key: readFileSync(server.key), cert: readFileSync(server.cert), port: 0, onError });
    molly = await startMollyBrown({ identity: server, scgiPaths: { '/molly': socketPath } });
  });
  afterAll(async () => {
    await molly?.stop();
    await front?.close({ timeout: 0 });
    await running?.close({ timeout: 0 });
    certificates?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const ways = [
    ['behind Molly Brown', 'molly'],
    ['behind our front', 'scgi'],
    ['in our front', 'direct'],
  ] as const;

  describe.each(ways)('%s', (_, mount) => {
    const get = (path: string, identified = false): Promise<GeminiAnswer> => {
      const { port } = mount === 'molly' ? molly : front;
      const url = `gemini://localhost:${port}/${mount}${path}`;
      return askGemini(port, url, identified ? certificates.client : undefined);
    };

    test.each([
      ['a page', '/', '20 text/gemini', '# Home'],
      ['the mount point itself', '', '20 text/gemini', '# Home'],
      ['a path with escapes', '/%C3%BCbung%20mit%20leerzeichen', '20 text/gemini', null],
      ['a prompt', '/ask', '10 Your name?', ''],
      ['what was typed', '/ask?Ada%20L%C3%B6we', '20 text/gemini', 'Hello Ada Löwe'],
      ['a redirect', '/old', '31 /new', ''],
      ['a page for certificates', '/who', '60 Client certificate required', ''],
      ['no such page', '/nothing', '51 Not found', ''],
    ])('answers %s', async (_name, path, header, text) => {
      const answer = await get(path);
      expect(answer).toMatchObject({ header, ending: 'close_notify' });
      expect(answer.text).toBe(text ?? `/${mount}/übung mit leerzeichen`);
    });

    test('knows the client by its certificate', async () => {
      const { text } = await get('/who', true);
      expect(text).toBe(`Ada Löwe ${certificates.clientFingerprint}`);
    });

    test('sends bytes as they are', async () => {
      const { length, digest } = await get('/bytes');
      expect({ length, digest }).toEqual({ length: 4, digest: digestOf([Uint8Array.of(0, 0xff, 0x0d, 0x0a)]) });
    });

    test('streams what is large, and all of it', async () => {
      const { length, digest, ending } = await get('/large');
      expect({ length, ending }).toEqual({ length: largeBytes, ending: 'close_notify' });
      expect(digest).toBe(digestOf(largeBody()));
    });

    test('shows that a response broke off, where that can be seen', async () => {
      // A Unix socket has no reset, so behind it half a response looks whole.
      const ending = mount === 'direct' ? 'truncated' : 'close_notify';
      expect(await get('/breaks')).toMatchObject({ header: '20 text/gemini', text: 'half', ending });
    });

    test('says nothing of why a handler has thrown', async () => {
      errors.length = 0;
      const { header, text } = await get('/throws');
      expect({ header, text }).toEqual({
        header: mount === 'direct' ? '40 Temporary failure' : '42 CGI error',
        text: '',
      });
      expect(errors).toEqual([expect.objectContaining({ message: 'the database password is wrong' })]);
    });
  });

  test('three hundred requests leave nothing open', async () => {
    const url = `gemini://localhost:${front.port}/scgi/`;
    await askQuickly(front.port, url);
    const before = openDescriptors();
    for (let batch = 0; batch < 12; batch += 1) {
      const answers = await Promise.all(Array.from({ length: 25 }, () => askQuickly(front.port, url)));
      expect(new Set(answers)).toEqual(new Set(['20 text/gemini\r\n# Home']));
    }
    await expectNoLeaks(before);
  });
});

function digestOf(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
