// What others have written goes into the page as text, never as HTML.
const [state, online, log, enter, say] = document.querySelectorAll('#state, #online, #log, #enter, #say');
let socket;

const create = (tag, text = '') => Object.assign(document.createElement(tag), { textContent: text });

function show({ name, text, at }) {
  const line = create('li');
  line.append(create('time', new Date(at).toLocaleTimeString()), create('b', name), text);
  log.appendChild(line).scrollIntoView();
}

function connect(name) {
  const url = new URL(`chat?name=${encodeURIComponent(name)}`, location); // beside the page, wherever that is mounted
  socket = new WebSocket(url.href.replace('http', 'ws'));
  socket.onopen = () => (state.textContent = `here as ${name}`);
  socket.onmessage = ({ data }) => {
    const news = JSON.parse(data);
    if (news.online) online.replaceChildren(...news.online.map((who) => create('li', who)));
    if (news.history) log.replaceChildren(); // back again, all of it comes once more
    (news.history ?? [news.said]).filter(Boolean).forEach(show);
  };
  socket.onclose = () => {
    state.textContent = 'coming back …';
    setTimeout(connect, 1000 + Math.random() * 2000, name); // not all in the same moment
  };
}

enter.onsubmit = () => {
  [enter.hidden, say.hidden] = [true, false];
  connect(enter.elements.name.value);
  return false;
};
say.onsubmit = () => {
  if (socket.readyState !== WebSocket.OPEN) return false; // what was typed stays
  socket.send(say.elements.text.value);
  say.reset();
  return false;
};
