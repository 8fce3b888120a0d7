// Reads the XML-RPC that rTorrent writes: elements and text, no attributes, no comments. A fault is thrown.
const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const unescape = (text) => text.replace(/&(?:#x(\w+)|#(\d+)|(\w+));/g, character);
const character = (_, hex, decimal, name) => entities[name] ?? String.fromCodePoint(hex ? parseInt(hex, 16) : decimal);

export function decodeAnswer(xml) {
  const open = [{ children: [] }];
  for (const [, close, name, empty, text] of xml.matchAll(/<(\/?)([\w.]+)\s*(\/?)>([^<]*)/g)) {
    const node = { name, text: unescape(text), children: [] };
    if (!close) open.at(-1).children.push(node);
    if (close && open.pop().name !== name) throw new Error(`XML-RPC: </${name}> closes something else`);
    if (!close && !empty) open.push(node);
  }
  const outcome = open[0].children[0]?.children[0];
  if (open.length > 1 || outcome === undefined) throw new Error('XML-RPC: not a whole answer');
  if (outcome.name === 'params') return decode(outcome.children[0].children[0]);
  const { faultCode, faultString } = decode(outcome.children[0]);
  throw Object.assign(new Error(faultString), { code: faultCode });
}

function decode({ text, children: [node] }) {
  if (node === undefined) return text;
  if (node.name === 'array') return node.children[0].children.map(decode);
  if (node.name === 'struct') return Object.fromEntries(node.children.map(member));
  if (node.name === 'base64') return Buffer.from(node.text, 'base64');
  return node.name === 'string' ? node.text : Number(node.text);
}

function member({ children: [name, value] }) {
  return [name.text, decode(value)];
}
