// One listener of CGI programs behind a web server, whichever, and what a client of it needs: forms and cookies.

import type { CgiListener } from '@scgi/cgi';
import type { ScgiListener } from '@scgi/core';
import { type ApacheOptions, startApache } from '../../support/apache.js';
import { httpRequest, type HttpRequestOptions, type HttpResponse } from '../../support/http-client.js';
import type { ApacheStage } from '../../apache/support/stage.js';
import type { NginxOptions } from '../../support/nginx.js';

export { test } from '../../apache/support/stage.js';
export { ApacheStage } from '../../apache/support/stage.js';

/** What stands before our server. */
export const frontEnds = ['nginx', 'Apache'] as const;
export type FrontEnd = (typeof frontEnds)[number];

export interface SiteOptions {
  readonly nginx?: Omit<NginxOptions, 'to'>;
  readonly apache?: Omit<ApacheOptions, 'to'>;
}

/** Serves a listener over SCGI on a Unix socket, and a front end before it. Resolves with the front end's origin. */
export async function startSite(
  stage: ApacheStage,
  frontEnd: FrontEnd,
  listener: CgiListener | ScgiListener,
  options: SiteOptions = {},
): Promise<string> {
  const { address: to } = await stage.serve(listener);
  if (frontEnd === 'nginx') return (await stage.nginx({ ...options.nginx, to })).origin;
  const apache = await startApache({ ...options.apache, to });
  stage.add(apache.stop);
  return apache.origin;
}

/** A client that keeps cookies, and follows no redirect. */
export class Visitor {
  readonly #origin: string;
  readonly #cookies: Map<string, string>;

  constructor(origin: string) {
    this.#origin = origin;
    this.#cookies = new Map();
  }

  async get(path: string): Promise<HttpResponse> {
    return this.#ask({ origin: this.#origin, path });
  }

  /** Sends a form as a browser does: with files as multipart/form-data, else as a query. */
  async post(path: string, form: Readonly<Record<string, string | File>>): Promise<HttpResponse> {
    const encoded = new Response(encodeForm(Object.entries(form)));
    const headers = { 'Content-Type': encoded.headers.get('Content-Type') ?? '' };
    const body = new Uint8Array(await encoded.arrayBuffer());
    return this.#ask({ origin: this.#origin, path, body, headers });
  }

  async #ask(options: HttpRequestOptions): Promise<HttpResponse> {
    const cookie = [...this.#cookies].map((pair) => pair.join('=')).join('; ');
    const headers = { ...options.headers, ...(cookie === '' ? {} : { Cookie: cookie }) };
    const response = await httpRequest({ ...options, headers });
    for (const line of response.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = line.split(';', 1)[0]?.split('=') ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}

function encodeForm(entries: readonly (readonly [string, string | File])[]): FormData | URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of entries) if (typeof value === 'string') query.append(name, value);
  if (query.size === entries.length) return query;
  const form = new FormData();
  for (const [name, value] of entries) form.append(name, value);
  return form;
}
