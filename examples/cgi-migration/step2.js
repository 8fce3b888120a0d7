// Step 2: the programs of a folder, as they are, behind SCGI. SCGI_BIND says where to listen.
import { cgiDirectory } from '@scgi/cgi';
import { serveScgi } from '@scgi/core';

const programs = cgiDirectory(`${import.meta.dirname}/cgi-bin`, {
  mount: '/cgi-bin',
  inheritEnvironment: ['GUESTBOOK_FILE'],
});

const server = await serveScgi(programs);
console.log(`SCGI: listening on ${server.endpoints[0].address}`);
process.once('SIGTERM', () => server.close());
