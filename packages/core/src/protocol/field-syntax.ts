// The grammar of header fields, the same for both directions: RFC 9110 §5.1 (names) and §5.5 (values).

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const invalidInValue = /[^\t\x20-\x7e\x80-\xff]/;

/** RFC 9110 §5.6.2: `token`. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** RFC 9110 §5.5: no control characters but HTAB; here also nothing beyond latin1. Holds for reason phrases too. */
export function isFieldValue(text: string): boolean {
  return !invalidInValue.test(text);
}
