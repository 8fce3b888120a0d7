// What every application process does: listen where it is told, say so, and go when the benchmark goes.

/** @param {import('node:net').Server} server */
export function listen(server) {
  const [path] = process.argv.slice(2);
  process.once('disconnect', () => process.exit());
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path }, () => {
    process.send(server.address().port ?? 0);
  });
}

/**
 * The same for an adapter, which listens by itself.
 * @param {(options: { bind: number | string }) => Promise<{ server: import('node:net').Server }>} start
 */
export async function serve(start) {
  const [path] = process.argv.slice(2);
  process.once('disconnect', () => process.exit());
  const { server } = await start({ bind: path === undefined ? 0 : `unix:${path}` });
  process.send(server.address().port ?? 0);
}
