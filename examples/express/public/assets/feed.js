import { element } from './show.js';

const kept = 50;
const log = document.getElementById('feed-log');
const state = document.getElementById('feed-state');
const toggle = document.getElementById('feed-toggle');
/** @type {EventSource | undefined} */
let source;
let lastSeen = '';

connect();
toggle.addEventListener('click', () => {
  const paused = source !== undefined;
  toggle.textContent = paused ? 'Resume' : 'Pause';
  if (paused) disconnect();
  else connect();
});

function connect() {
  source = new EventSource('events');
  source.addEventListener('tick', (event) => {
    const { listeners, uptimeSeconds } = JSON.parse(event.data);
    setState('open', `Connected · ${listeners} watching · up for ${duration(uptimeSeconds)}`);
  });
  source.addEventListener('activity', (event) => {
    if (event.lastEventId <= lastSeen) return; // a fresh connection replays what happened lately
    lastSeen = event.lastEventId;
    add(JSON.parse(event.data));
  });
  source.addEventListener('error', () => {
    const gone = source?.readyState === EventSource.CLOSED;
    setState('waiting', gone ? 'The server refused the feed' : 'Connection lost, trying again');
  });
}

function disconnect() {
  source.close();
  source = undefined;
  setState('waiting', 'Paused');
}

/** @param {{ who: string, what: string, at: number }} activity */
function add({ who, what, at }) {
  const item = document.createElement('li');
  const time = element('time', new Date(at).toLocaleTimeString());
  time.dateTime = new Date(at).toISOString();
  item.append(time, element('strong', who), ` ${what}`);
  log.prepend(item);
  while (log.children.length > kept) log.lastChild.remove();
}

/**
 * @param {string} name
 * @param {string} text
 */
function setState(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
