// XML-RPC calls of rTorrent's, as large as they are wanted.

import { encodeCall } from '../../../examples/rtorrent/xml-rpc-call.js';

export const version: string = encodeCall('system.client_version', []);
export const mebibyte = 1_048_576;

/** An XML-RPC call that is exactly so many bytes long: `cat` answers with its arguments. */
export function callOfLength(bytes: number): string {
  const empty = encodeCall('cat', ['', '']);
  return encodeCall('cat', ['', 'x'.repeat(bytes - empty.length)]);
}

/** One call that asks for many. */
export function multicall(method: string, count: number): string {
  return encodeCall('system.multicall', [Array.from({ length: count }, () => ({ methodName: method, params: [] }))]);
}
