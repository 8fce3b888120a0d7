// A Koa application answers over SCGI as it does over Node's HTTP server, and reports the same errors.

import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { serveScgi } from '@scgi/adapter-koa';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../support/deadline.js';
import { collectUnhandled } from '../support/leaks.js';
import { behaviours, folder, type Behaviour } from './support/koa-behaviours.js';
import { failures } from './support/koa-failures.js';
import { ask, asOverScgi, frontOf, serveHttp, type Answer } from './support/two-ways.js';

const Koa2: typeof Koa = createRequire(import.meta.url)('koa2');

describe.each([
  ['Koa 3', Koa, 3],
  ['Koa 2', Koa2, 2],
])('%s answers as over HTTP', (_name, Framework, version) => {
  let unhandled: ReturnType<typeof collectUnhandled>;
  beforeAll(() => {
    unhandled = collectUnhandled();
  });
  afterAll(() => {
    unhandled.stop();
    expect(unhandled.errors).toEqual([]);
  });

  describe.each(Object.entries({ ...behaviours, failures }))('%s', (_kind, list) => {
    test.each(list.filter(({ since = 2 }) => since <= version))('$what', async (behaviour) => {
      const { errors = [], expected } = behaviour;
      const http = await observe(behaviour, errors.length, (app) => serveHttp(app.callback()));
      // Koa 3 reports a stream that fails more than once.
      const scgi = await observe(behaviour, http.errors.length, async (app) =>
        frontOf(await serveScgi(app, { bind: 0 })),
      );
      expect(scgi.answer).toEqual(asOverScgi(http.answer, scgi.answer));
      expect(scgi.answer).toMatchObject(expected);
      expect(scgi.errors).toEqual(http.errors);
      expect([...new Set(scgi.errors.map(({ message }) => message))]).toEqual(errors);
    });
  });

  async function observe(
    { use, build, question = {} }: Behaviour,
    errorCount: number,
    serve: (app: Koa) => Promise<string>,
  ): Promise<{ answer: Answer; errors: ReportedError[] }> {
    const app = new Framework();
    const errors: ReportedError[] = [];
    app.on('error', ({ message, status, expose, headerSent }: ReportedError) => {
      // Who knows the length may leave with the last octet, before the stream has told of its end: over HTTP too.
      if (message !== 'Premature close') errors.push({ message, status, expose, headerSent });
    });
    build?.(app);
    if (use !== undefined) app.use(use);
    const answer = await ask(await serve(app), question);
    await until(() => errors.length >= errorCount, 2_000, `${errorCount} errors beside ${errors.length}`);
    return { answer, errors };
  }
});

/** What Koa says of an error. */
interface ReportedError {
  readonly message: string;
  readonly status: unknown;
  readonly expose: unknown;
  readonly headerSent: unknown;
}

afterAll(() => rmSync(folder, { recursive: true }));
