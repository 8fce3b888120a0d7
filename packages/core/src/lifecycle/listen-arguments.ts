// The many forms of `net.Server.listen` arguments, read for one thing: does the caller name a host?
// Node listens on every interface where none is named; whoever can connect to an SCGI server can pose as anyone.

const LOOPBACK = '127.0.0.1';

/** The arguments of `listen`, with 127.0.0.1 put in where a port is given without a host. */
export function onLoopback(args: readonly unknown[]): unknown[] {
  const [first, second, ...rest] = args;
  // listen(), listen(callback), listen(null): any free port.
  if (first === undefined || first === null) return [0, LOOPBACK, second, ...rest];
  if (typeof first === 'function') return [0, LOOPBACK, first];
  if (isPort(first)) return typeof second === 'string' ? [...args] : [first, LOOPBACK, second, ...rest];
  if (isObject(first) && first['port'] !== undefined && first['host'] === undefined && first['path'] === undefined) {
    return [{ ...first, host: LOOPBACK }, second, ...rest];
  }
  return [...args];
}

// As Node decides between a port and a path.
function isPort(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value.trim() !== '' && Number(value) >= 0);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
