// The environment of a CGI program as JavaScript has it: an object like `process.env`.

/** Variables by name, as `process.env` has them: an object of one's own, to read and to write. */
export type Environ = Record<string, string | undefined>;

/** Octets as Node.js makes texts of them in `process.env`: UTF-8; what is none becomes U+FFFD. */
export function environText(octets: string): string {
  return /[\x80-\xff]/.test(octets) ? Buffer.from(octets, 'latin1').toString() : octets;
}

/** @param variables names and values in turn, octets */
export function environOf(variables: readonly string[]): Environ {
  const entries: [name: string, value: string][] = [];
  for (let index = 0; index < variables.length; index += 2) {
    entries.push([environText(variables[index] ?? ''), environText(variables[index + 1] ?? '')]);
  }
  // Not by assignment: `__proto__` is a name like any other.
  return Object.fromEntries(entries);
}
