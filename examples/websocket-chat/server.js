import { serveScgi } from '@scgi/core';
import { openChat } from './app.js';
import { pages } from './pages.js';

const { server, endpoints, close } = await serveScgi(pages); // where SCGI_BIND says, or on 127.0.0.1:4000
const sayGoodbye = openChat(server);
console.log(`SCGI: listening on ${endpoints[0].address}`);

process.once('SIGTERM', () => {
  sayGoodbye(); // WebSockets never end by themselves
  void close({ timeout: 5_000 });
});
