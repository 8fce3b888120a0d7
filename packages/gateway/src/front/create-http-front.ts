// What a user writes to have a stand-alone HTTP server before SCGI ones; its check, and the parts it makes.

import type { Server } from 'node:http';
import { resolveTime } from '@scgi/client/exchange';
import { LocalProtocolError } from '@scgi/core/protocol';
import type { GatewayTarget } from '../arguments.js';
import { MountableBackend } from '../handler.js';
import type { ScgiMiddleware } from '../node/middleware.js';
import { createMiddleware } from '../node/middleware.js';
import type { GatewayOptions } from '../options.js';
import { resolveGatewaySettings } from '../options.js';
import { HttpFront } from './http-front.js';
import { Routes } from './routes.js';
import { StaticFolder } from './static-folder.js';

/** Who answers below a prefix: an SCGI server, at one address or several; or a handler with options of its own. */
export type FrontBackend = GatewayTarget | MountableBackend;

/** Options of `createHttpFront`. Times in milliseconds, 0 for none. */
export interface HttpFrontOptions extends GatewayOptions {
  /** The SCGI server for everything: 4000, '127.0.0.1:4000', '[::1]:4000', 'unix:/run/app.sock'; or several addresses, for `balance`. */
  readonly to?: FrontBackend | undefined;
  /** In the place of `to`: SCGI servers by prefix, such as `{ '/api': 4000, '/': 4001 }`. The longest one that fits a path counts. */
  readonly backends?: Readonly<Record<string, FrontBackend>> | undefined;
  /** Folders by prefix, such as `{ '/assets': './public' }`. What they do not have is asked of a backend. Default: none. */
  readonly static?: Readonly<Record<string, string>> | undefined;
  /** How long tunnels, such as WebSockets, may go on when the server closes. Default 5,000. */
  readonly closeTimeout?: number | undefined;
}

/**
 * Makes an HTTP server before SCGI ones; the caller lets it `listen`. Bodies are streamed both ways, upgrades tunnelled.
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for an impossible option
 */
export function createHttpFront(options: HttpFrontOptions): Server {
  const closeTimeout = resolveTime('closeTimeout', options.closeTimeout, 5000);
  const folders = new Routes('static', options.static ?? {}, (_, folder) => new StaticFolder(folder));
  const backends = new Routes('backends', backendsOf(options), (prefix, backend) => mount(prefix, backend, options));
  return new HttpFront({ backends, folders, closeTimeout });
}

function backendsOf({ to, backends, static: folders }: HttpFrontOptions): Readonly<Record<string, FrontBackend>> {
  if (to !== undefined && backends !== undefined) throw refuse('to', "give 'to' or 'backends', not both");
  if (to !== undefined) return { '/': to };
  if (backends !== undefined && Object.keys(backends).length > 0) return backends;
  if (folders !== undefined) return {};
  throw refuse('to', "nothing to serve: give 'to', 'backends' or 'static'");
}

function mount(prefix: string, backend: FrontBackend, options: HttpFrontOptions): ScgiMiddleware {
  if (backend instanceof MountableBackend) return createMiddleware(backend.settings, prefix);
  return createMiddleware(resolveGatewaySettings(backend, options), prefix);
}

function refuse(option: string, problem: string): LocalProtocolError {
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, problem });
}
