/** A chat: messages to all, who is here, and what was said last. Nothing in here knows that SCGI exists. */
import { WebSocketServer } from 'ws';
import { nameIn, refuseOtherSites } from './visitor.js';

/** Adds the chat to a server, at `/chat?name=…`. The function returned says goodbye to all. */
export function openChat(server, { heartbeatMs = 20_000 } = {}) {
  const sockets = new WebSocketServer({ server, path: '/chat', maxPayload: 4096, verifyClient: refuseOtherSites });
  const history = [];
  const guests = () => [...sockets.clients].filter((guest) => guest.readyState === guest.OPEN);
  // Who does not keep up is cut off: the page comes back by itself.
  const tell = (guest, news) => (guest.bufferedAmount < 65_536 ? guest.send(JSON.stringify(news)) : guest.terminate());
  const tellAll = (news) => guests().forEach((guest) => tell(guest, news));
  const tellWho = () => tellAll({ online: guests().map(({ name }) => name) });

  sockets.on('connection', (guest, request) => {
    Object.assign(guest, { name: nameIn(request), answered: true });
    tell(guest, { history });
    tellWho();
    guest.on('message', (data) => say(guest.name, String(data)));
    guest.on('pong', () => (guest.answered = true));
    guest.on('error', () => {}); // a frame out of order; `close` follows
    guest.on('close', tellWho);
  });

  function say(name, text) {
    history.push({ name, text, at: Date.now() });
    if (history.length > 20) history.shift();
    tellAll({ said: history.at(-1) });
  }

  // Pings keep the way open (nginx gives up after 60 silent seconds), and find out who vanished without a word.
  function beat(guest) {
    if (!guest.answered) return guest.terminate();
    guest.answered = false;
    guest.ping();
  }
  setInterval(() => guests().forEach(beat), heartbeatMs).unref();
  return () => guests().forEach((guest) => guest.close(1001));
}
