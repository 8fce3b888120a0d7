// Addresses, and whether somebody listens there.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A port that nobody had a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** @param where as `net.connect` takes it */
export async function accepts(where) {
  const socket = connect(where);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // not yet
  } finally {
    socket.destroy();
  }
}
