// The one reading of a length in digits, for CONTENT_LENGTH and Content-Length alike.

const zero = 0x30;

/**
 * Reads `1*DIGIT`; leading zeros are allowed, as in the SCGI specification ("a nonempty sequence of ASCII digits").
 * @returns the number, or undefined for anything else: signs, spaces, fractions, lists, numbers above 2^53 − 1
 */
export function parseContentLength(value: string): number | undefined {
  if (value === '0') return 0; // nearly every request
  if (value === '') return undefined;
  let length = 0;
  for (let index = 0; index < value.length; index++) {
    const digit = value.charCodeAt(index) - zero;
    if (digit < 0 || digit > 9) return undefined;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return undefined;
  }
  return length;
}
