import { setTimeout } from 'node:timers/promises';
import { serveCgi } from '@scgi/adapter-ssgi';
import { gate, note } from './notes.js';

const routes = {
  '/facts': ({ server, client, path, query, getHeader, res }) => {
    const { basePath, target, encrypted } = res.extensions.scgi;
    const url = `${basePath}${path}${query === '' ? '' : `?${query}`}`;
    const protocol = encrypted ? 'https' : 'http';
    const ip = client.replace(/:\d+$/, '');
    res.send(JSON.stringify({ url, originalUrl: target, ip, protocol, user: getHeader('user-agent'), server }));
  },
  '/shout': async ({ res }) => res.send(`${await res.getData()}`.toUpperCase()),
  '/events': async ({ res }) => {
    res.sendHeaders([['Content-Type', 'text/event-stream']]);
    res.send('data: 1\n\n', true);
    await gate('1');
    res.send('data: 2\n\n');
  },
  '/work': ({ res }) => {
    void res.runAsync(async () => {
      await setTimeout(50);
      note('work');
    });
    res.send('done');
  },
};

await serveCgi((_type, server, client, _method, path, query, getHeader, res) =>
  routes[path]({ server, client, path, query, getHeader, res }),
);
