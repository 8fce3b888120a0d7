// Files of a folder as answers: `send` does the conditional requests, the ranges and the types; which file may go out at
// all is find-file.ts's. Serves GET and HEAD, and says of everything else that it is not there.

import { statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, resolve } from 'node:path';
import { LocalProtocolError } from '@scgi/core/protocol';
import send from 'send';
import { findForClient } from './find-file.js';
import { writeStatus } from './status-response.js';

const index = 'index.html';

/** One folder, as it is at each request. */
export class StaticFolder {
  readonly #folder: string;

  /** @throws {LocalProtocolError} ERR_SCGI_OPTION when there is no such folder */
  constructor(folder: string) {
    this.#folder = resolve(folder);
    if (statSync(this.#folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new LocalProtocolError('ERR_SCGI_OPTION', { option: 'static', folder, problem: 'there is no such folder' });
    }
  }

  /**
   * Answers with a file, with index.html for a folder, or with a redirect to the folder's proper address. Resolves with
   * false, having done nothing, if there is none of these.
   * @param rest path and query below the mount point, percent-encoded, beginning with a slash
   * @param respond makes the answer, once it is known that there is one
   */
  async answer(request: IncomingMessage, rest: string, respond: () => ServerResponse): Promise<boolean> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const path = decodePath(rest);
    if (path === undefined) return false;
    try {
      const file = await this.#find(path);
      if (file === undefined) return false;
      if (file === 'elsewhere') redirectToFolder(request, respond());
      else sendFile(request, respond(), file);
    } catch {
      // The file system will not have it read. nginx says the same.
      writeStatus(respond(), 403);
    }
    return true;
  }

  async #find(path: string): Promise<string | 'elsewhere' | undefined> {
    const found = await findForClient(this.#folder, path);
    if (found === undefined) return undefined;
    if (found.kind === 'file') return path.endsWith('/') ? undefined : found.path;
    const page = await findForClient(this.#folder, join(path, index));
    if (page?.kind !== 'file') return undefined;
    return path.endsWith('/') ? page.path : 'elsewhere';
  }
}

/** The path alone, decoded. Undefined for what is no text: no file system of ours has such names. */
function decodePath(rest: string): string | undefined {
  const end = rest.search(/[?#]/);
  try {
    return decodeURIComponent(end === -1 ? rest : rest.slice(0, end));
  } catch {
    return undefined;
  }
}

/** Relative addresses in the page are meant to be below the folder. */
function redirectToFolder(request: IncomingMessage, response: ServerResponse): void {
  const [, path = '', query = ''] =
    /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)([^]*)$/.exec(request.url ?? '') ?? [];
  // A second slash at the start would make a host of the next segment.
  writeStatus(response, 301, ['Location', `${path.replace(/^[/\\]+/, '/')}/${query}`]);
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: string): void {
  // The path is free of links and was checked: `send` need not look for dots and folders again.
  const sending = send(request, encodeURIComponent(file), { dotfiles: 'allow', index: false });
  sending.on('error', (error: { readonly status: number; readonly headers?: Record<string, string> }) => {
    if (response.headersSent) response.destroy();
    else writeStatus(response, error.status, Object.entries(error.headers ?? {}).flat());
  });
  sending.pipe(response);
}
