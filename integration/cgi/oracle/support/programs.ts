// The folder of programs that every site has, and the files of the single cases.

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireFrontEnd } from '../../../support/front-ends.js';
import type { Case, Cases } from './case.js';

/** Folders below one that is removed with the test. */
export interface Programs {
  readonly programs: string;
  readonly documents: string;
  readonly passwords: string;
}

/** Makes the folders; of every case's own program the place is its name. */
export function makePrograms(root: string, cases: Cases): Programs {
  const folders = {
    programs: join(root, 'programs'),
    documents: join(root, 'documents'),
    passwords: join(root, 'users'),
  };
  chmodSync(root, 0o755);
  for (const folder of ['programs/folder', 'programs/private', 'documents', 'outside', 'programs/.hidden']) {
    mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
  }
  const probe = join(folders.programs, 'probe');
  const source = fileURLToPath(new URL('probe.c', import.meta.url));
  execFileSync(requireFrontEnd('cc'), ['-O1', '-o', probe, source], { stdio: 'pipe' });
  for (const copy of [
    'programs/private/probe',
    'programs/.hidden/probe',
    'programs/.probe',
    'programs/pröbe +x',
    'outside/probe',
  ]) {
    copyFileSync(probe, join(root, copy));
  }
  symlinkSync('probe', join(folders.programs, 'link-inside'));
  symlinkSync('../outside/probe', join(folders.programs, 'link-outside'));
  symlinkSync('nowhere', join(folders.programs, 'link-broken'));
  writeFileSync(join(folders.documents, 'page.txt'), 'a page\n', { mode: 0o644 });
  // SHA-1 of "secret", as htpasswd -s writes it.
  writeFileSync(folders.passwords, 'ada:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n', { mode: 0o644 });
  for (const [name, each] of Object.entries(cases)) writeOwnFile(folders.programs, name, each);
  return folders;
}

function writeOwnFile(folder: string, name: string, request: Case): void {
  const { prints, file, mode = 0o755 } = request;
  const content = file ?? (prints === undefined ? undefined : `${printerOf(request)}${prints}`);
  if (content === undefined) return;
  const path = join(folder, fileNameOf(name, request));
  writeFileSync(path, content, 'latin1');
  chmodSync(path, mode);
}

/** The beginning of a file that prints its own rest, octet by octet. */
function printerOf({ body }: Case): string {
  if (body === undefined) return '#!/usr/bin/tail -n+2\n';
  // Who leaves input unread resets the connection to Apache, which then, or not, has seen the answer.
  return '#!/bin/sh\ncat > /dev/null\nexec tail -n+4 "$0"\n';
}

/** The request target of a case. */
export function targetOf(name: string, request: Case): string {
  const { target = hasOwnFile(request) ? '/cgi-bin/PROGRAM' : '/cgi-bin/probe' } = request;
  return target.replaceAll('PROGRAM', fileNameOf(name, request));
}

function hasOwnFile({ prints, file }: Case): boolean {
  return prints !== undefined || file !== undefined;
}

function fileNameOf(name: string, { prefix = '', suffix = '' }: Case): string {
  return `${prefix}${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}${suffix}`;
}
