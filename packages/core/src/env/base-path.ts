// Cutting a mount point off a request target, at a segment boundary, whatever way either one is percent-encoded.
// Knows strings only.

const PERCENT = 0x25;
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const NUMBER_SIGN = 0x23;

/**
 * The target below `basePath`, or undefined if it is not below it:
 * `/app/x?q` below `/app` is `/x?q`, `/app?q` is `/?q`, `/appzzz` is not below it.
 * `basePath` starts with a slash and may be percent-encoded; a slash at its end counts for nothing.
 */
export function splitBasePath(target: string, basePath: string): string | undefined {
  const path = decodeBasePath(basePath);
  if (path === '') return target;
  const end = matchPath(target, path);
  if (end === -1) return undefined;
  return target.charCodeAt(end) === SLASH ? target.slice(end) : `/${target.slice(end)}`;
}

/** The mount point as `matchPath` wants it: decoded, without slashes at its end, so `/` is the empty string. */
export function decodeBasePath(basePath: string): string {
  let length = basePath.length;
  while (length > 0 && basePath.charCodeAt(length - 1) === SLASH) length--;
  return decodePath(basePath.slice(0, length));
}

/**
 * Where the target goes on after the decoded `path`, or -1 if it does not begin with it or goes on inside a segment.
 * An encoded slash is part of a segment: `/a%2Fb` does not begin with `/a/b`.
 */
export function matchPath(target: string, path: string): number {
  let at = 0;
  for (let index = 0; index < path.length; index++) {
    let code = target.charCodeAt(at);
    if (code === QUESTION_MARK || code === NUMBER_SIGN) return -1;
    const octet = code === PERCENT ? readEscape(target, at) : -1;
    if (octet !== -1) {
      if (octet === SLASH) return -1;
      code = octet;
      at += 2;
    }
    if (code !== path.charCodeAt(index)) return -1;
    at++;
  }
  if (at === target.length) return at;
  const next = target.charCodeAt(at);
  return next === SLASH || next === QUESTION_MARK || next === NUMBER_SIGN ? at : -1;
}

/** The path with its escapes turned into octets; a percent sign that begins no escape stays. */
export function decodePath(path: string): string {
  let percent = path.indexOf('%');
  if (percent === -1) return path;
  let decoded = '';
  let from = 0;
  while (percent !== -1) {
    const octet = readEscape(path, percent);
    if (octet !== -1) {
      decoded += path.slice(from, percent) + String.fromCharCode(octet);
      from = percent + 3;
    }
    percent = path.indexOf('%', octet === -1 ? percent + 1 : from);
  }
  return decoded + path.slice(from);
}

function readEscape(text: string, at: number): number {
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
