/** What a handshake says of the visitor. It is the visitor's own word, but browsers do not lie about Origin. */

/** The page of another site could open a WebSocket in the visitor's name, cookies and all: browsers only tell of it. */
export function refuseOtherSites({ origin, req }) {
  // No Origin: no browser. Without ports, because Debian's nginx passes Host on without one.
  if (origin === undefined) return true;
  return hostnameOf(origin) !== '' && hostnameOf(origin) === hostnameOf(`http://${req.headers.host}`);
}

export function nameIn({ url }) {
  const name = new URLSearchParams(url.split('?')[1]).get('name') ?? '';
  return name.trim().slice(0, 30) || 'somebody';
}

const hostnameOf = (url) => (URL.canParse(url) ? new URL(url).hostname : '');
