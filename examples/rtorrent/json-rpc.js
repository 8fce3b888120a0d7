// https://www.jsonrpc.org/specification
export function encodeCall(method, params) {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: params.map(encode) });
}

/** JSON has no bytes: rTorrent's `load` commands take a data URI for them. */
function encode(value) {
  return Buffer.isBuffer(value) ? `data:application/x-bittorrent;base64,${value.toString('base64')}` : value;
}

export function decodeAnswer(text) {
  const { result, error } = JSON.parse(text);
  if (error) throw Object.assign(new Error(error.message), { code: error.code });
  return result;
}
