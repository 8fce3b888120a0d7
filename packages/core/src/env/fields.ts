// Blanks and lists in header field values (RFC 9110 §5.5, §5.6.1). The grammar itself is in protocol/field-syntax.ts.
// Knows nothing of variables.

/** The value without blanks and tabs around it. nginx leaves a trailing HTAB: `v  \t`. */
export function trimFieldValue(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return end - start === value.length ? value : value.slice(start, end);
}

/** The items of a comma-separated list, without blanks, in lower case: for lists of tokens such as Connection. */
export function listTokens(list: string): string[] {
  return list.split(',').map((item) => trimFieldValue(item).toLowerCase());
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
