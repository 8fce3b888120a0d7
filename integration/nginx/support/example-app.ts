// The example application as a test serves it, and what its JSON looks like.

import { serveScgi, type ServeOptions } from '@scgi/adapter-express';
import { createApp } from 'example-express';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { HttpResponse } from '../../support/http-client.js';
import type { Stage, StagedApp, Transport } from './stage.js';

/** Its static file, as it is on the disk. */
export const textFile: Buffer = readFileSync(
  new URL('../../../examples/express/public/assets/scgi.txt', import.meta.url),
);
export const uploadLimitBytes = 6_000_000;

/** The example application while it is served. */
export interface StagedExample extends StagedApp {
  readonly locals: ReturnType<typeof createApp>['locals'];
  /** What the application wrote to its log. */
  readonly logged: readonly unknown[];
}

/** Serves it with its own adapter. */
export async function serveExample(
  stage: Stage,
  { over = 'unix', ...options }: Omit<ServeOptions, 'bind'> & { over?: Transport } = {},
): Promise<StagedExample> {
  const logged: unknown[] = [];
  const app = createApp({ uploadLimitBytes, logError: (error) => void logged.push(error) });
  const running = await serveScgi(app, { ...options, bind: stage.freeAddress(over) });
  return { ...stage.adopt(running), locals: app.locals, logged };
}

/** What the routes answer, all together. */
export interface ExampleJson {
  readonly express: Readonly<Record<string, unknown>>;
  readonly vouched: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, string])[];
  readonly id: string;
  readonly notes: readonly unknown[];
  readonly error: { readonly status: number; readonly message: string };
}

/** A response of the example application with its body read as JSON. */
export function parsed(response: HttpResponse): HttpResponse & { json: ExampleJson } {
  expect(response.headers['content-type']).toMatch(/^application\/json/);
  return { ...response, json: JSON.parse(response.text) };
}
