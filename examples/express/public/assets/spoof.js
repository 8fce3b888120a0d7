import { show } from './show.js';

const { ip } = document.getElementById('spoof').dataset;
const lies = {
  'X-Forwarded-For': '198.51.100.66',
  'X-Forwarded-Proto': 'gopher',
  'Remote-Addr': '198.51.100.66',
};

document.getElementById('spoof-send').addEventListener('click', async () => {
  const response = await fetch('request', { headers: lies });
  const { express, headers } = await response.json();
  const arrived = headers.filter(([name]) => Object.keys(lies).some((lie) => lie.toLowerCase() === name));
  const believed = (express.ip ?? '') !== ip; // a client on a Unix socket has no address
  show('spoof-result', believed ? 'bad' : 'good', believed ? 'The lie was believed' : 'Arrived, and not believed', {
    'req.ip': express.ip,
    'req.protocol': express.protocol,
    ...Object.fromEntries(arrived),
  });
});
