// Percent-encoding (RFC 3986 §2.1) and the octets that CGI variables are made of. Knows no URL.

const incompleteEscape = /%(?![0-9a-f]{2})/i;

/** The text behind the escapes; undefined for an incomplete escape, or for octets that are no UTF-8. */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (incompleteEscape.test(text)) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // Nothing but this can be wrong with complete escapes: their octets.
  }
}

/** A decoded path as a URL spells it. */
export function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, encodeURIComponent);
}

/** Text as a variable holds it: one character, one octet of UTF-8. */
export function toOctets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of a variable's octets. */
export function fromOctets(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('utf8');
}
