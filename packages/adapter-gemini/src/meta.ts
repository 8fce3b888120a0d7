// What the header of a Gemini response may say, for those that we read and those that we send.
// https://geminiprotocol.net/docs/protocol-specification.gmi

/** Longest meta in bytes: version 0.16.1 of the specification has this limit; 0.24 has none, but its clients keep it. */
export const maxMetaBytes = 1024;

const controls = /\p{Cc}/u;

/** Two digits from 10 to 69. A client takes a second digit that it does not know for a zero. */
export function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 10 && status <= 69;
}

/** Of all statuses only these have a body. */
export function hasBody(status: number): boolean {
  return status >= 20 && status < 30;
}

/** What is wrong with a meta; undefined for a good one. */
export function findMetaFault(status: number, meta: string): string | undefined {
  // A prompt, a media type and an address are needed; what went wrong need not be said (0.24, "reply").
  if (meta === '' && status < 40) return 'no meta';
  if (Buffer.byteLength(meta) > maxMetaBytes) return `a meta of more than ${maxMetaBytes} bytes`;
  if (controls.test(meta)) return 'a control character in the meta';
  if (meta.startsWith('\ufeff')) return 'a byte order mark in the meta';
  return undefined;
}
