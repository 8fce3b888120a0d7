// Texts as octets, one a character (latin1), as variables and file names of CGI are; and the way to and from Node's texts.

/** A text of ours as octets: UTF-8, as every file name and variable that Node itself writes. */
export function toOctets(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** A path of octets as the functions of `node:fs` take it. */
export function toFilePath(octets: string): Buffer {
  return Buffer.from(octets, 'latin1');
}
