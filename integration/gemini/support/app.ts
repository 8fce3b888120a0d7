// The application that is asked by every way in: one page for each kind of answer.

import { Readable } from 'node:stream';
import { createGeminiApp, GeminiResponse } from '@scgi/adapter-gemini';
import type { GeminiApp } from '@scgi/adapter-gemini';

/** Of the page /large. */
export const largeBytes = 5_000_000;

export function createTestApp(): GeminiApp {
  return createGeminiApp()
    .route('/', () => '# Home')
    .route('/who', ({ certificate }) =>
      certificate === undefined
        ? GeminiResponse.certificateRequired()
        : `${certificate.commonName} ${certificate.fingerprint}`,
    )
    .route('/ask', ({ input }) => (input === undefined ? GeminiResponse.input('Your name?') : `Hello ${input}`))
    .route('/old', () => GeminiResponse.redirect('/new', { permanent: true }))
    .route('/bytes', () => GeminiResponse.success(Uint8Array.of(0, 0xff, 0x0d, 0x0a), 'application/octet-stream'))
    .route('/large', () => GeminiResponse.success(Readable.from(largeBody()), 'application/octet-stream'))
    .route('/übung mit leerzeichen', ({ path }) => path)
    .route('/breaks', () => GeminiResponse.success(breaking()))
    .route('/throws', () => {
      throw new Error('the database password is wrong');
    });
}

export function* largeBody(): Generator<Uint8Array> {
  for (let sent = 0; sent < largeBytes; sent += 50_000) yield Buffer.alloc(50_000, String(sent));
}

async function* breaking(): AsyncGenerator<string> {
  yield 'half';
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error('the disk is gone');
}
