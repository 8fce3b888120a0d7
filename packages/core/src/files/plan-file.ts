// A file as the answer to a request: which file, what of it, and who sends it. Looks at the file, but reads no more of it
// than a small answer needs; writes nothing.

import { stat } from 'node:fs/promises';
import { isAbsolute, parse } from 'node:path';
import { Readable } from 'node:stream';
import { type AnsweredRequest, type AnswerHead, bodyFields, validatorFields } from '../env/index.js';
import { LocalProtocolError } from '../protocol/errors.js';
import { entryBelow } from './below-folder.js';
import { choosePart, type FilePart, type Validators } from './conditions.js';
import { chunkBytes, FileContent, type FileState } from './file-content.js';
import { handOverOf } from './hand-over.js';

/** For a response without a body in a framework that would make one of nothing, and state its length. */
export function emptyBody(): Readable {
  return Readable.from([]);
}

/** For one file. */
export interface SendfileOptions {
  /**
   * The folder that the file must lie in once `..` and links are resolved: what a client names needs one. Default: none; the
   * path must be absolute then.
   */
  readonly root?: string | undefined;
  /** Content-Type. Default: what the response has already, else 'application/octet-stream': nothing is guessed. */
  readonly type?: string | undefined;
  /** False: not by the front end, whatever it can do. Default: as the option `frontEnd` of the server says. */
  readonly frontEnd?: false | undefined;
}

/** The response for a file. */
export interface FileAnswer extends AnswerHead {
  /** Null: there is none, or the front end sees to it. */
  readonly content: Buffer | FileContent | null;
}

/** The body of a response: all at once, or a stream that opens the file when it is read. Null where there is none. */
export function bodyOf({ content = null }: AnswerHead & Partial<FileAnswer>): Buffer | Readable | null {
  return content instanceof FileContent ? content.stream() : content;
}

/**
 * The response to send; undefined if there is no such file, or none that may be sent.
 * @param path absolute, or from `root` on
 * @throws {LocalProtocolError} ERR_SCGI_OPTION for a path from nowhere on; ERR_SCGI_SENDFILE for a file that we may not read
 */
export async function planFile(
  request: AnsweredRequest,
  path: string,
  options: SendfileOptions = {},
): Promise<FileAnswer | undefined> {
  const real = await locate(path, options.root);
  const state = real === undefined ? undefined : await lookAt(real);
  if (real === undefined || state === undefined) return undefined;
  const type = options.type ?? request.responseField('content-type') ?? 'application/octet-stream';
  const handOver = options.frontEnd === false ? undefined : await handOverOf(request, real);
  const order = handOver && { 'Content-Type': type, [handOver.field]: handOver.value };
  if (order !== undefined && handOver?.does === 'everything') return without(200, order, ['content-length']);

  const size = Number(state.size);
  const validators = validatorsOf(request, state);
  const known = { ETag: validators.etag, 'Last-Modified': validators.lastModified };
  const part = choosePart(request, validators, size);
  if (part.status === 304) return without(304, known, bodyFields);
  if (part.status === 412) return without(412, { 'Content-Length': '0' }, [...bodyFields, ...validatorFields]);
  const isHead = request.method === 'HEAD';
  if (order !== undefined && !isHead && (part.status === 200 || handOver?.does === 'ranges')) {
    return without(200, { ...order, ...known }, ['content-length']);
  }
  if (part.status === 416) {
    const fields = { 'Content-Length': '0', 'Content-Range': `bytes */${size}` };
    return without(416, fields, [...bodyFields, ...validatorFields]);
  }
  return {
    status: part.status,
    fields: { 'Content-Type': type, ...known, ...extentFields(part, size) },
    dropped: ['content-range', 'transfer-encoding'],
    content: isHead ? null : await contentOf(real, state, part),
  };
}

/** A response without a body of its own. */
function without(status: number, fields: Readonly<Record<string, string>>, dropped: readonly string[]): FileAnswer {
  return { status, fields, dropped, content: null };
}

async function locate(path: string, root: string | undefined): Promise<string | undefined> {
  if (root === undefined && !isAbsolute(path)) {
    throw new LocalProtocolError('ERR_SCGI_OPTION', { path, problem: 'a path needs root, or to be absolute' });
  }
  try {
    const entry = await entryBelow(root ?? parse(path).root, path);
    return entry?.kind === 'file' ? entry.path : undefined;
  } catch (cause) {
    throw new LocalProtocolError('ERR_SCGI_SENDFILE', { path, fault: 'it cannot be looked at' }, { cause });
  }
}

/** Undefined if it is gone by now. */
function lookAt(path: string): Promise<FileState | undefined> {
  return stat(path, { bigint: true }).catch(() => undefined);
}

/** Those that the application has set count. */
function validatorsOf(request: AnsweredRequest, { size, mtimeNs }: FileState): Validators {
  return {
    // Nanoseconds: two changes within one second make two tags, which is what lets a range be put to an older part.
    etag: request.responseField('etag') ?? `"${mtimeNs.toString(16)}-${size.toString(16)}"`,
    lastModified: request.responseField('last-modified') ?? new Date(Number(mtimeNs / 1_000_000n)).toUTCString(),
  };
}

function extentFields({ status, start, end }: FilePart, size: number): Record<string, string> {
  const length = { 'Content-Length': String(end - start) };
  if (status === 206) return { ...length, 'Content-Range': `bytes ${start}-${end - 1}/${size}` };
  return { ...length, 'Accept-Ranges': 'bytes' };
}

/** What fits in one chunk is read now, so that it goes out in one write and a failure is still an answer. */
async function contentOf(path: string, state: FileState, { start, end }: FilePart): Promise<Buffer | FileContent> {
  const content = new FileContent(path, state, start, end);
  if (content.length <= chunkBytes) return content.readWhole();
  await content.check();
  return content;
}
