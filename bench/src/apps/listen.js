// What every application process does: listen where it is told, say so, and go when the benchmark goes.

/** @param {import('node:net').Server} server */
export function listen(server) {
  const [path] = process.argv.slice(2);
  process.once('disconnect', () => process.exit());
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path }, () => {
    process.send(server.address().port ?? 0);
  });
}
