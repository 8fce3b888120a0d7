// Answers by which a backend asks the gateway to answer in its place: with a file (X-Sendfile, X-Accel-Redirect), or with
// another page of its own (a local redirect, RFC 3875 §6.2.2). Reads the head only, and asks the user's functions.

import type { IncomingMessage } from 'node:http';
import { LocalProtocolError, type ResponseHead, ScgiError } from '@scgi/core/protocol';
import { findField, locateRedirect, type MountedTarget } from '@scgi/core/relay';
import type { FileFinder } from '../file-finder.js';
import type { RedirectLookup } from '../options.js';

/** What the gateway may do; undefined: off. */
export interface SpecialSettings {
  readonly sendfile: FileFinder<IncomingMessage> | undefined;
  readonly accelRedirect: FileFinder<IncomingMessage> | undefined;
  readonly localRedirect: RedirectLookup<IncomingMessage> | undefined;
}

/** A file to look for. */
export interface FileOrder {
  /** As the backend has written it. */
  readonly name: string;
  readonly find: FileFinder<IncomingMessage>;
}

/** The file that the head asks to send, if the gateway does that. */
export function fileOrder({ fields }: ResponseHead, settings: SpecialSettings): FileOrder | undefined {
  const { sendfile, accelRedirect } = settings;
  if (sendfile !== undefined) {
    const name = findField(fields, 'x-sendfile') ?? findField(fields, 'x-lighttpd-send-file');
    if (name !== undefined) return { name, find: sendfile };
  }
  if (accelRedirect !== undefined) {
    const name = findField(fields, 'x-accel-redirect');
    if (name !== undefined) return { name, find: accelRedirect };
  }
  return undefined;
}

/** The target to ask for next; undefined hands the redirect on to the client. */
export async function redirectTarget(
  head: ResponseHead,
  lookup: RedirectLookup<IncomingMessage>,
  request: IncomingMessage,
  mounted: MountedTarget,
): Promise<MountedTarget | undefined> {
  try {
    const path = await lookup(findField(head.fields, 'location') ?? '', request);
    return path === null || path === undefined ? undefined : locateRedirect(mounted, path);
  } catch (cause) {
    throw userError('localRedirect', cause);
  }
}

/** What a function of the user has thrown, as an error that has a code. */
export function userError(option: string, cause: unknown): ScgiError {
  if (cause instanceof ScgiError) return cause;
  return new LocalProtocolError('ERR_SCGI_OPTION', { option, problem: 'the function threw' }, { cause });
}
