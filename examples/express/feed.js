/**
 * What happens in the application, told to everyone who listens. Knows server-sent events as text
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html) and response streams; knows no routes.
 */
const maxListeners = 100;
const historyLength = 20;
const tickMs = 5_000;

/** @typedef {ReturnType<typeof createFeed>} Feed */

export function createFeed() {
  /** @type {Set<import('node:http').ServerResponse>} */
  const listeners = new Set();
  /** @type {{ id: number, text: string }[]} */
  const history = [];
  let lastId = Date.now(); // ids keep rising over a restart, so a reconnecting browser misses nothing
  let timer;

  /**
   * @param {string} who
   * @param {string} what
   */
  function publish(who, what) {
    const event = { id: ++lastId, text: '' };
    event.text = `id: ${event.id}\nevent: activity\ndata: ${JSON.stringify({ who, what, at: Date.now() })}\n\n`;
    history.push(event);
    if (history.length > historyLength) history.shift();
    for (const res of listeners) send(res, event.text);
  }

  /**
   * @param {import('node:http').ServerResponse} res A response whose head is sent; it stays open until the client leaves.
   * @param {number} sinceId The last event the client has seen, 0 for none.
   */
  function listen(res, sinceId) {
    listeners.add(res);
    res.once('close', () => leave(res));
    const missed = history.filter((event) => event.id > sinceId).map((event) => event.text);
    send(res, `retry: 2000\n\n${missed.join('')}`);
    tick(); // the newcomer gets a first one, the others see the new count
    timer ??= setInterval(tick, tickMs);
  }

  /** @param {import('node:http').ServerResponse} res */
  function leave(res) {
    if (!listeners.delete(res)) return;
    if (listeners.size > 0) return tick();
    clearInterval(timer);
    timer = undefined;
  }

  // A tick is also the heartbeat: it keeps idle limits on the way (nginx: 60 s) from ending the stream.
  function tick() {
    const data = { listeners: listeners.size, uptimeSeconds: Math.round(process.uptime()) };
    for (const res of listeners) send(res, `event: tick\ndata: ${JSON.stringify(data)}\n\n`);
  }

  function close() {
    for (const res of listeners) res.end();
  }

  return {
    publish,
    listen,
    close,
    get full() {
      return listeners.size >= maxListeners;
    },
  };
}

/**
 * Who reads slower than we write misses events instead of filling our memory.
 * @param {import('node:http').ServerResponse} res
 * @param {string} text
 */
function send(res, text) {
  if (res.writable && !res.writableNeedDrain) res.write(text);
}
