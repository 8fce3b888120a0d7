// Writes XML-RPC as far as rTorrent reads it: numbers as i8, its 64 bits; a Buffer as base64.
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function encodeCall(method, params) {
  const list = params.map((param) => `<param>${encode(param)}</param>`).join('');
  return `<?xml version="1.0"?><methodCall><methodName>${escape(method)}</methodName><params>${list}</params></methodCall>`;
}

function encode(value) {
  if (typeof value === 'number') return `<value><i8>${value}</i8></value>`;
  if (Buffer.isBuffer(value)) return `<value><base64>${value.toString('base64')}</base64></value>`;
  if (Array.isArray(value)) return `<value><array><data>${value.map(encode).join('')}</data></array></value>`;
  if (typeof value !== 'object') return `<value><string>${escape(String(value))}</string></value>`;
  const members = Object.entries(value).map(
    ([name, item]) => `<member><name>${escape(name)}</name>${encode(item)}</member>`,
  );
  return `<value><struct>${members.join('')}</struct></value>`;
}
