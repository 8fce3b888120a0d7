// Votes: counted over HTTP, watched as an event stream or over WebSocket. Nothing here knows of SCGI.
const votes = new Map();
const watchers = new Set();
const result = () => JSON.stringify(Object.fromEntries(votes));

export async function app(type, server, client, method, path, query, getHeader, res) {
  if (type === 'websocket') {
    if (path !== '/live') return res.reject(404);
    if (await res.accept()) res.onClose(follow((text) => res.send(text)));
    return undefined;
  }
  if (path === '/events') {
    res.sendHeaders([['Content-Type', 'text/event-stream']]);
    return res.onAborted(follow((text) => res.send(`data: ${text}\n\n`, true)));
  }
  res.sendHeaders([['Content-Type', 'application/json']]);
  if (method === 'POST' && path === '/votes') {
    const choice = new URLSearchParams(`${await res.getData()}`).get('for') ?? 'nobody';
    votes.set(choice, (votes.get(choice) ?? 0) + 1);
    for (const send of watchers) send(result());
  } else if (path !== '/') {
    res.sendStatus('404 Not Found');
    return res.send(JSON.stringify({ client, path, query, browser: getHeader('user-agent') }));
  }
  return res.send(result());
}

function follow(send) {
  watchers.add(send);
  send(result());
  return () => watchers.delete(send);
}
